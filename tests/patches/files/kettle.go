// Package kettle heats water, and tells whoever waits how warm it is.
package kettle

import (
	"errors"
	"fmt"
	"sync"
)

// ErrDry is given when there is nothing to heat.
var ErrDry = errors.New("kettle: there is no water")

// Kettle is safe for use by several goroutines.
type Kettle struct {
	mu      sync.Mutex
	litres  float64
	celsius float64
	waiting []chan<- float64
}

// Fill adds water of room temperature.
func (k *Kettle) Fill(litres float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.litres+litres > 0 {
		k.celsius = (k.celsius*k.litres + 20*litres) / (k.litres + litres)
	}
	k.litres += litres
}

// Heat raises the temperature, to 100 degrees at most.
func (k *Kettle) Heat(degrees float64) (float64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.litres <= 0 {
		return 0, ErrDry
	}
	k.celsius = min(100, k.celsius+degrees)
	for _, one := range k.waiting {
		one <- k.celsius
	}
	return k.celsius, nil
}

func (k *Kettle) String() string {
	return fmt.Sprintf("%.1f l at %.1f °C", k.litres, k.celsius)
}
