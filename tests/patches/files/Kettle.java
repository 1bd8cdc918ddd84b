package tea.kettle;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.DoubleConsumer;

/** Heats water, and tells whoever waits how warm it is. */
public final class Kettle {
    private static final int KEPT = 20;
    private final Deque<Double> readings = new ArrayDeque<>();
    private final DoubleConsumer listener;
    private double litres;

    public Kettle(DoubleConsumer listener) {
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    /** Adds water. */
    public void fill(double more) {
        if (more < 0) {
            throw new IllegalArgumentException("water is added, not taken: " + more);
        }
        litres += more;
    }

    public double heat(double celsius) {
        if (litres <= 0) {
            throw new IllegalStateException("there is no water");
        }
        readings.addLast(Math.min(celsius, 100.0));
        while (readings.size() > KEPT) {
            readings.removeFirst();
        }
        listener.accept(mean());
        return mean();
    }

    private double mean() {
        return readings.stream().mapToDouble(Double::doubleValue).average().orElse(0.0);
    }
}
