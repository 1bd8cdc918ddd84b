//! Heats water, and tells how warm it is.
use std::collections::VecDeque;
use std::fmt;

const MOST: f64 = 100.0;

#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    Dry,
    TooHot { celsius: f64 },
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Dry => write!(out, "there is no water"),
            Wrong::TooHot { celsius } => write!(out, "{celsius} is too hot"),
        }
    }
}

#[derive(Default)]
pub struct Kettle {
    litres: f64,
    readings: VecDeque<f64>,
}

impl Kettle {
    /// Filled with so much water.
    pub fn with(litres: f64) -> Self {
        Self { litres, ..Self::default() }
    }

    pub fn heat(&mut self, celsius: f64) -> Result<f64, Wrong> {
        if self.litres <= 0.0 {
            return Err(Wrong::Dry);
        }
        if celsius > MOST {
            return Err(Wrong::TooHot { celsius });
        }
        self.readings.push_back(celsius);
        if self.readings.len() > 20 {
            self.readings.pop_front();
        }
        Ok(self.mean())
    }

    fn mean(&self) -> f64 {
        self.readings.iter().sum::<f64>() / self.readings.len() as f64
    }
}
