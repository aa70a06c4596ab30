//! On-device biometric verification.
