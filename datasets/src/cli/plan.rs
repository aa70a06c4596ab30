//! How many trials a claim takes.

use clap::Args;

use crate::plan::{Claim, plan as trials};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct PlanArgs {
    /// FMR to be shown at 95 % confidence.
    #[arg(long)]
    fmr: Option<f64>,
    /// FNMR to be shown at 95 % confidence.
    #[arg(long)]
    fnmr: Option<f64>,
    /// IAPAR to be shown at 95 % confidence.
    #[arg(long)]
    iapar: Option<f64>,
    /// iBeta level, 1 or 2.
    #[arg(long)]
    ibeta: Option<u8>,
    /// FIDO Biometric Component.
    #[arg(long)]
    fido: bool,
}

pub(super) fn plan(args: &PlanArgs) -> Result<(), String> {
    let rates = [
        (args.fmr, Claim::Fmr as fn(f64) -> Claim),
        (args.fnmr, Claim::Fnmr),
        (args.iapar, Claim::Iapar),
    ];
    let rate = rates
        .into_iter()
        .find_map(|(value, claim)| value.map(claim));
    let claim = rate.or(args.ibeta.map(Claim::Ibeta)).unwrap_or(Claim::Fido);
    let (requirements, notes) = trials(claim)?;
    for requirement in requirements {
        println!(
            "{:>9} {} with {} errors seen",
            requirement.trials, requirement.what, requirement.errors
        );
    }
    for note in notes {
        println!("note: {note}");
    }
    Ok(())
}
