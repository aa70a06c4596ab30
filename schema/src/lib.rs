//! What other languages and readers need of the engine's JSON, made of the engine itself: the
//! schema, a page of reference, and vocabularies for Go, Python and TypeScript. Each is committed;
//! `VULTUS_BLESS=1 cargo test --release -p vultus-schema` writes them anew.

use serde_json::{Value, json};
use std::fmt::Write;
use vultus::Policy;
use vultus::schema::{Vocabulary, schema, vocabularies};

const NOTICE: &str =
    "Made by `VULTUS_BLESS=1 cargo test --release -p vultus-schema`; do not change it by hand.";

/// Returns every generated file: its path in the repository, and what it holds.
pub fn files() -> Vec<(&'static str, String)> {
    let words = vocabularies();
    let schema = serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n";
    vec![
        ("schema/evidence-1.json", schema),
        ("docs/reference.md", reference(&words)),
        ("ffi/go/vocabulary.go", go(&words)),
        ("python/py_src/vultus/_vocabulary.py", python(&words)),
        ("examples/idp/web/src/vocabulary.ts", typescript(&words)),
    ]
}

/// Breaks a text into lines of at most `width`, each after `prefix`.
fn wrapped(text: &str, prefix: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut line = prefix.to_owned();
    for word in text.split_whitespace() {
        let is_begun = line.len() > prefix.len();
        if is_begun && line.len() + 1 + word.len() > width {
            lines += &line;
            lines.push('\n');
            line = prefix.to_owned();
        }
        if !line.ends_with(' ') {
            line.push(' ');
        }
        line += word;
    }
    lines + &line + "\n"
}

/// Links of Rust's documentation, without their brackets.
fn plain(text: &str) -> String {
    text.replace("[`", "`")
        .replace("`]", "`")
        .split('(')
        .fold(String::new(), |mut all, part| {
            if all.is_empty() {
                return part.to_owned();
            }
            match part
                .strip_prefix("crate::")
                .and_then(|link| link.split_once(')'))
            {
                Some((_, rest)) => all += rest,
                None => {
                    all.push('(');
                    all += part;
                }
            }
            all
        })
}

/// `ReasonCode` becomes `reason code`.
fn spaced(title: &str) -> String {
    let mut words = String::new();
    for letter in title.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn reference(words: &[Vocabulary]) -> String {
    let mut page = format!(
        "# Reference of names\n\n<!-- {NOTICE} -->\n\nThe JSON of decisions, samples, sequences \
        and documents is described by [evidence-1.json](../schema/evidence-1.json) (JSON Schema \
        2020-12). A name is never changed or given another meaning; readers must expect further \
        ones.\n\n## Policy\n\nWhat `policy` takes, as JSON in every language. What it does not \
        name keeps its default.\n\n| key | default | allowed |\n|---|---|---|\n"
    );
    let default = serde_json::to_value(Policy::default()).unwrap_or_default();
    for (key, value) in leaves("", &default) {
        let allowed = allowed(&key, &value);
        let _ = writeln!(page, "| `{key}` | `{value}` | {allowed} |");
    }
    for table in words {
        let heading = spaced(table.title);
        let heading = heading[..1].to_uppercase() + &heading[1..];
        let about = plain(table.about);
        let _ = write!(
            page,
            "\n## {heading}\n\n{about}\n\n| name | meaning |\n|---|---|\n"
        );
        for row in &table.rows {
            let _ = writeln!(page, "| `{}` | {} |", row.name, plain(row.sentence));
        }
    }
    page
}

/// Every key of an object that is no object itself, with its value. Those of a holder are texts.
fn leaves(path: &str, value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(keys) => keys
            .iter()
            .flat_map(|(key, value)| {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                leaves(&path, value)
            })
            .collect(),
        value => vec![(path.to_owned(), value.clone())],
    }
}

/// What a policy says of a key when it is given what it cannot be.
fn allowed(key: &str, default: &Value) -> String {
    let wrong = match default {
        Value::Number(number) if number.is_u64() => json!(255),
        Value::Number(_) => json!(-1),
        Value::String(_) | Value::Null => json!("?"),
        _ => json!("wrong"),
    };
    let policy = key
        .rsplit('.')
        .fold(wrong, |inner, key| json!({ key: inner }));
    let said = match Policy::from_json(&policy.to_string()) {
        Err(error) => error.to_string(),
        // A name may be anything.
        Ok(_) => return "a name of 1 to 1000 bytes, or null".to_owned(),
    };
    let (_, what) = said.split_once(&format!("{key} ")).unwrap_or(("", &said));
    let what = what
        .trim_start_matches("must be ")
        .trim_start_matches("may hold ");
    if default.is_null() && !what.contains("null") {
        format!("{what}, or null")
    } else {
        what.to_owned()
    }
}

/// Vocabularies that the Go package defines itself, by the name of their type there.
const GO: [(&str, &str); 10] = [
    ("Effect", "Effect"),
    ("ReasonCode", "ReasonCode"),
    ("Obstacle", "Obstacle"),
    ("Component", "Component"),
    ("PadStatus", "PadStatus"),
    ("Channel", "Channel"),
    ("SignalName", "SignalName"),
    ("ChallengeStatus", "ChallengeStatus"),
    ("DocumentSight", "DocumentSight"),
    ("Format", "DocumentFormat"),
];

fn go(words: &[Vocabulary]) -> String {
    let mut file = format!("// Code generated DO NOT EDIT.\n// {NOTICE}\n\npackage vultus\n");
    for (title, name) in GO {
        let Some(table) = words.iter().find(|table| table.title == title) else {
            continue;
        };
        let about = plain(table.about);
        file.push('\n');
        file += &wrapped(&format!("{name} is one of a table. {about}"), "//", 100);
        let _ = write!(
            file,
            "type {name} string\n\n// The values of {name}.\nconst (\n"
        );
        for row in &table.rows {
            file += &wrapped(&plain(row.sentence), "\t//", 97);
            let _ = writeln!(file, "\t{name}{} {name} = \"{}\"", row.value, row.name);
        }
        file += ")\n";
    }
    file
}

fn python(words: &[Vocabulary]) -> String {
    let mut file = format!(
        "\"\"\"The names in the engine's answers.\n\n{NOTICE}\n\"\"\"\n\n\
        from typing import Literal\n"
    );
    for table in words {
        let _ = write!(file, "\n{} = Literal[\n", table.title);
        for row in &table.rows {
            let _ = writeln!(file, "    \"{}\",", row.name);
        }
        file += "]\n";
        let about = wrapped(&plain(table.about), "", 90);
        let about: Vec<&str> = about.lines().map(str::trim).collect();
        let _ = writeln!(file, "\"\"\"{}\"\"\"", about.join("\n"));
    }
    file
}

fn typescript(words: &[Vocabulary]) -> String {
    let mut file = format!("// {NOTICE}\n");
    for table in words {
        file += "\n/**\n";
        file += &wrapped(&plain(table.about), " *", 100);
        let _ = write!(file, " */\nexport type {} =\n", table.title);
        let names: Vec<String> = table
            .rows
            .iter()
            .map(|row| format!("  | \"{}\"", row.name))
            .collect();
        file += &names.join("\n");
        file += ";\n";
    }
    file
}
