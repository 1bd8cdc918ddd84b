// Heats water, and tells whoever waits how warm it is.
import { clamp } from "./numbers";

export interface Reading {
  readonly celsius: number;
  readonly at: number;
}

type Listener = (reading: Reading) => void;

export class Kettle {
  private readonly listeners = new Set<Listener>();
  private readings: Reading[] = [];

  constructor(private readonly most: number = 100) {}

  /** Adds somebody who waits; gives what takes them away again. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heat(celsius: number, at: number): Reading {
    const reading = { celsius: clamp(celsius, 0, this.most), at };
    this.readings = [...this.readings, reading].slice(-20);
    for (const listener of this.listeners) {
      listener(reading);
    }
    return reading;
  }

  get mean(): number {
    if (this.readings.length === 0) {
      return 0;
    }
    const sum = this.readings.reduce((all, one) => all + one.celsius, 0);
    return sum / this.readings.length;
  }
}

export const label = (kettle: Kettle): string => `mean: ${kettle.mean.toFixed(1)} °C`;
