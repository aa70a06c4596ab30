//! The evaluator's workbench: readers of public face datasets, protocols, error rates after ISO/IEC
//! 19795-1 and 30107-3, calibration and reports.
//!
//! A reader turns a folder into a [`protocol::Protocol`] with its findings; [`extract`] turns
//! images into features; [`score`] turns features into scores; [`metrics`] turn scores into rates;
//! [`run::Run`] is the record of it all, which [`report`] shows and [`calibrate`] turns into the
//! engine's thresholds.

pub mod calibrate;
pub mod cli;
pub mod detection;
pub mod document;
pub mod engine;
pub mod export;
pub mod extract;
pub mod findings;
pub mod limits;
pub mod metrics;
pub mod pad;
pub mod plan;
pub mod protocol;
pub mod readers;
pub mod record;
pub mod report;
pub mod run;
pub mod score;
