//! The schema of the JSON (JSON Schema 2020-12) and the vocabularies in it, for those who generate
//! types of them.

use crate::decision::Decision;
use crate::evidence::*;

/// A table of names: its title, what it is about, and its rows.
pub struct Vocabulary {
    /// The name of the type.
    pub title: &'static str,
    /// What the names are of.
    pub about: &'static str,
    /// Every name, in a fixed order.
    pub rows: Vec<Row>,
}

/// One name.
pub struct Row {
    /// As in Rust.
    pub value: String,
    /// As in JSON.
    pub name: &'static str,
    /// What it means.
    pub sentence: &'static str,
}

/// Returns every vocabulary of the JSON.
pub fn vocabularies() -> Vec<Vocabulary> {
    macro_rules! tables {
        ($($table:ident),+ $(,)?) => {
            vec![$(Vocabulary {
                title: stringify!($table),
                about: $table::ABOUT,
                rows: $table::ALL
                    .iter()
                    .map(|value| Row {
                        value: format!("{value:?}"),
                        name: value.name(),
                        sentence: value.sentence(),
                    })
                    .collect(),
            }),+]
        };
    }
    tables![
        Outcome,
        Effect,
        ReasonCode,
        Role,
        Obstacle,
        Component,
        Detector,
        PadStatus,
        Comparator,
        RiskLevel,
        Channel,
        SignalName,
        ChallengeKind,
        ChallengeStatus,
        Direction,
        CaptureLevel,
        GuidanceCode,
        DocumentLevel,
        DocumentSight,
        Format,
        FieldName,
        Check,
        CheckResult,
        SignatureStatus,
    ]
}

/// Returns the schema of every result that has a `to_json`.
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.into_generator();
    let results = [
        generator.subschema_for::<Decision>(),
        generator.subschema_for::<Sample>(),
        generator.subschema_for::<SequenceEvidence>(),
        generator.subschema_for::<DocumentReport>(),
        generator.subschema_for::<Comparison>(),
    ];
    let formatted: Vec<_> = results
        .iter()
        .map(|result| {
            serde_json::json!({
                "allOf": [result],
                "properties": { "format": { "const": FORMAT } },
                "required": ["format"],
            })
        })
        .collect();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Evidence of vultus",
        "description": "A decision, a sample, the evidence of frames, a document, or a \
            comparison, as `to_json` writes them.",
        "anyOf": formatted,
        "$defs": generator.take_definitions(true),
    })
}
