//! Error rates after ISO/IEC 19795-1 and ISO/IEC 30107-3, their intervals, and what compares them.

pub mod bootstrap;
pub mod detection;
pub mod groups;
pub mod interval;
pub mod mcnemar;
pub mod pad;
pub mod tail;
pub mod tenfold;
pub mod verification;
