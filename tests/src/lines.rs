//! The printed lines of the benches: figure, budget and floor side by side.
//! It never bends a figure: a line over its budget says so, and the bench ends non-zero.

use std::process::ExitCode;

/// One printed line.
pub struct Line {
    /// What was measured.
    pub what: &'static str,
    /// The figure.
    pub figure: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The budget.
    pub budget: f64,
    /// Whether the figure must reach the budget instead of staying below it.
    pub at_least: bool,
    /// What nothing could go below (or above).
    pub floor: f64,
    /// What the floor is.
    pub floor_is: &'static str,
}

impl Line {
    /// A figure that must not pass its budget.
    pub fn at_most(what: &'static str, figure: f64, unit: &'static str, budget: f64) -> Self {
        Self { what, figure, unit, budget, at_least: false, floor: 0.0, floor_is: "-" }
    }

    /// A figure that must reach its budget.
    pub fn at_least(what: &'static str, figure: f64, unit: &'static str, budget: f64) -> Self {
        Self { at_least: true, ..Self::at_most(what, figure, unit, budget) }
    }

    /// With what nothing could go below (or above).
    #[must_use]
    pub fn floor(self, floor: f64, floor_is: &'static str) -> Self {
        Self { floor, floor_is, ..self }
    }
}

/// Prints all of them; whether every figure held.
pub fn print(lines: Vec<Line>) -> ExitCode {
    let mut held = true;
    println!("{:<52} {:>12} {:>12} {:>12}  floor is", "", "figure", "budget", "floor");
    for line in lines {
        let ok = if line.at_least { line.figure >= line.budget } else { line.figure <= line.budget };
        held &= ok;
        let mark = if ok { "" } else { "  OVER BUDGET" };
        let Line { what, figure, unit, budget, floor, floor_is, .. } = line;
        println!("{what:<52} {figure:>9.2} {unit:<2} {budget:>9.2} {unit:<2} {floor:>9.2} {unit:<2}  {floor_is}{mark}");
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
