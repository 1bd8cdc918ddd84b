/* Heats water, and tells how warm it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 20

struct kettle {
	double litres;
	double readings[KEPT];
	size_t count;
};

struct kettle *kettle_new(double litres)
{
	struct kettle *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->litres = litres;
	return made;
}

static double mean(const struct kettle *k)
{
	double sum = 0;

	for (size_t n = 0; n < k->count; n++)
		sum += k->readings[n];
	return k->count ? sum / (double)k->count : 0;
}

int kettle_heat(struct kettle *k, double celsius, double *now)
{
	if (k->litres <= 0)
		return -1;
	if (k->count == KEPT) {
		memmove(k->readings, k->readings + 1, (KEPT - 1) * sizeof(double));
		k->count--;
	}
	k->readings[k->count++] = celsius > 100 ? 100 : celsius;
	*now = mean(k);
	return 0;
}

void kettle_print(const struct kettle *k, FILE *out)
{
	fprintf(out, "%.1f l at %.1f C\n", k->litres, mean(k));
}
