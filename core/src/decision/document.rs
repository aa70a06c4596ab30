//! What is asked of the identity document, and what it decides.

use super::policy::QualityLimits;
use crate::document::{Verdict, compare_names};
use crate::evidence::{
    Assessed, CheckResult, Date, DocumentLevel, DocumentReport, Doubt, Format, Mrz, Reason,
    ReasonCode, Role, SignatureStatus, clause,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// What is asked of the reference picture. By default nothing is asked of it as a document: it is a
/// picture to compare with, and nothing is said of whose document it is.
///
/// `unexpired`, `kinds` and `holder` take what was read for true, so any of them requires the level
/// `read` where `require` states none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentRules {
    /// What its portrait must have.
    #[serde(flatten)]
    pub portrait: QualityLimits,
    /// How far the document must be established.
    pub require: Option<DocumentLevel>,
    /// Whether it must not have expired before `today`.
    pub unexpired: bool,
    /// The kinds that are taken; empty for every one.
    pub kinds: Vec<Format>,
    /// Whom it must name.
    pub holder: Holder,
    /// The day of the decision, without which `unexpired` cannot be asked for: the engine has no
    /// clock.
    pub today: Option<Date>,
}

impl Default for DocumentRules {
    fn default() -> Self {
        DocumentRules {
            portrait: QualityLimits {
                min_inter_eye_px: 14.0,
                min_component: 0,
                ..QualityLimits::default()
            },
            require: None,
            unexpired: false,
            kinds: Vec::new(),
            holder: Holder::default(),
            today: None,
        }
    }
}

impl DocumentRules {
    /// The level that is asked for; `None` when the picture is a reference picture and no more.
    pub(crate) fn level(&self) -> Option<DocumentLevel> {
        let facts = self.unexpired || !self.kinds.is_empty() || self.holder.is_stated();
        self.require.or(facts.then_some(DocumentLevel::Read))
    }

    /// A key out of range, and what is allowed.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let (today, holder) = (self.today, &self.holder);
        if self.unexpired && today.is_none() {
            let what = "must be given with document.unexpired, as YYYY-MM-DD: the engine has no \
                clock";
            return Some(("document.today", what));
        }
        for (key, name) in [
            ("document.holder.family_name", &holder.family_name),
            ("document.holder.given_names", &holder.given_names),
        ] {
            let fits = |name: &String| !name.trim().is_empty() && name.len() <= Holder::LONGEST;
            if !name.as_ref().is_none_or(fits) {
                return Some((key, "must be a name of 1 to 1000 bytes, or null"));
            }
        }
        None
    }
}

/// Whom the document must name; what is not stated is not compared. Wiped when dropped; `Debug` and
/// JSON tell only which parts are stated.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Holder {
    /// The family name, in the letters of the account.
    pub family_name: Option<String>,
    /// The given names, or some of them.
    pub given_names: Option<String>,
    /// The birth date.
    pub birthdate: Option<Date>,
}

impl Holder {
    const LONGEST: usize = 1000;

    fn is_stated(&self) -> bool {
        self.family_name.is_some() || self.given_names.is_some() || self.birthdate.is_some()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.family_name.zeroize();
        self.given_names.zeroize();
        if let Some(date) = &mut self.birthdate {
            *date = Date {
                year: 0,
                month: 1,
                day: 1,
            };
        }
    }
}

impl Serialize for Holder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Stated {
            family_name: Option<&'static str>,
            given_names: Option<&'static str>,
            birthdate: Option<&'static str>,
        }
        let stated = |is: bool| is.then_some("withheld");
        Stated {
            family_name: stated(self.family_name.is_some()),
            given_names: stated(self.given_names.is_some()),
            birthdate: stated(self.birthdate.is_some()),
        }
        .serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Holder {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Holder".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let stated = serde_json::json!({ "enum": ["withheld", null] });
        schemars::json_schema!({
            "description": "Whom the document must name: which parts are stated.",
            "type": "object",
            "properties": { "family_name": stated, "given_names": stated, "birthdate": stated },
            "required": ["family_name", "given_names", "birthdate"],
        })
    }
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stated = [
            self.family_name.is_some(),
            self.given_names.is_some(),
            self.birthdate.is_some(),
        ];
        write!(f, "Holder(stated: {stated:?})")
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Date::from_iso(&text)
            .ok_or_else(|| serde::de::Error::custom("must be a date of the calendar, YYYY-MM-DD"))
    }
}

/// What the document decides. What was not looked at, or is in doubt, is held against nobody and
/// speaks for nobody: it leaves open what the policy asks for.
pub(super) fn documented(
    document: &Assessed<DocumentReport>,
    rules: &DocumentRules,
) -> Vec<Reason> {
    let asked = rules.level();
    let Some(report) = document.yes() else {
        let why = clause(document.absence().unwrap_or_default());
        let text = format!("the document was not looked at: {why}");
        let open = || doubt(Doubt::Inconclusive, ReasonCode::DocumentNotRead, text);
        return asked.map(|_| open()).into_iter().collect();
    };
    let mut reasons: Vec<Reason> = unsigned(report, asked).into_iter().collect();
    if let Some(asked) = asked {
        reasons.extend(too_low(report, asked));
    }
    if let (Some(zone), Some(level)) = (
        report.zone.as_ref().filter(|_| reasons.is_empty()),
        report.level,
    ) {
        reasons.extend(facts(zone, rules));
        reasons.extend(held(document, zone, &rules.holder));
        reasons.extend(established(document, level, &report.text));
    }
    reasons
}

fn doubt(doubt: Doubt, code: ReasonCode, text: impl Into<String>) -> Reason {
    Reason::doubt(doubt, code, Some(Role::Document), text)
}

/// What is wrong with the signature of a chip that was handed in.
fn unsigned(report: &DocumentReport, asked: Option<DocumentLevel>) -> Option<Reason> {
    let signature = report.signature.yes()?;
    let (effect, code) = match signature.status {
        SignatureStatus::Valid => return None,
        SignatureStatus::Invalid => (Doubt::Reject, ReasonCode::DocumentSignature),
        SignatureStatus::IssuerUnknown if asked.is_some() => {
            (Doubt::Inconclusive, ReasonCode::DocumentIssuerUnknown)
        }
        SignatureStatus::IssuerUnknown => (Doubt::Note, ReasonCode::DocumentIssuerUnknown),
    };
    Some(doubt(effect, code, &signature.text))
}

/// What is missing to the level that is asked for.
fn too_low(report: &DocumentReport, asked: DocumentLevel) -> Option<Reason> {
    let open = |code, text: &str| Some(doubt(Doubt::Inconclusive, code, text));
    match report.level {
        Some(level) if level >= asked => None,
        // That has been said.
        None if report.signature.yes().is_some() => None,
        None if report
            .checks
            .iter()
            .any(|check| check.result == CheckResult::Fails) =>
        {
            open(ReasonCode::DocumentDigits, &report.text)
        }
        None => open(ReasonCode::DocumentNotRead, &report.text),
        Some(_) if asked == DocumentLevel::Signed => open(
            ReasonCode::DocumentNotSigned,
            "the document was read off a picture; only the files of its chip can be signed",
        ),
        Some(_) => open(
            ReasonCode::DocumentNotConsistent,
            "it is not known whether what the document shows more than once agrees",
        ),
    }
}

/// What the policy asks of the document's kind and validity, and the document does not have.
fn facts(zone: &Mrz, rules: &DocumentRules) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut open = |code, text: String| reasons.push(doubt(Doubt::Inconclusive, code, text));
    if !rules.kinds.is_empty() && !rules.kinds.contains(&zone.format()) {
        let taken: Vec<&str> = rules.kinds.iter().map(|kind| kind.name()).collect();
        let (found, taken) = (zone.format().name(), taken.join(", "));
        open(
            ReasonCode::DocumentKind,
            format!("the document is a {found}; the policy takes {taken}"),
        );
    }
    if rules.unexpired {
        let last = rules
            .today
            .and_then(|today| zone.expiry_date()?.nearest(today));
        if last.is_none() {
            let text = "the document states no last day of validity";
            open(ReasonCode::DocumentExpired, text.to_owned());
        } else if last < rules.today {
            let text = "the document has expired; use one that is valid";
            open(ReasonCode::DocumentExpired, text.to_owned());
        }
    }
    reasons
}

/// Whether the document names the holder whom the policy states.
fn held(document: &Assessed<DocumentReport>, zone: &Mrz, holder: &Holder) -> Option<Reason> {
    if !holder.is_stated() {
        return None;
    }
    let names = compare_names(
        holder.family_name.as_deref(),
        holder.given_names.as_deref(),
        &zone.names(),
    );
    let stated = |verdict, is_stated: bool| is_stated.then_some(verdict);
    let birth = holder.birthdate.map(|date| match zone.birth_date() {
        None => Verdict::Unknown,
        Some(printed) if printed.prints(date) => Verdict::Match,
        Some(printed) if printed.may_be(date) => Verdict::Unknown,
        Some(_) => Verdict::Mismatch,
    });
    let parts = [
        (
            "family name",
            stated(names.family, holder.family_name.is_some()),
        ),
        (
            "given names",
            stated(names.given, holder.given_names.is_some()),
        ),
        ("birth date", birth),
    ];
    let with = |wanted: &[Verdict]| {
        let found = parts
            .iter()
            .filter(|(_, verdict)| verdict.is_some_and(|v| wanted.contains(&v)));
        found
            .map(|(part, _)| *part)
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let (other, unclear) = (
        with(&[Verdict::Mismatch]),
        with(&[Verdict::Partial, Verdict::Unknown]),
    );
    Some(if !other.is_empty() {
        let text = format!("the document has another {other} than the policy states");
        doubt(Doubt::Reject, ReasonCode::DocumentHolderDiffers, text)
    } else if !unclear.is_empty() {
        let text = format!("the {unclear} cannot be told to be those stated; a person should look");
        doubt(Doubt::Inconclusive, ReasonCode::DocumentHolderUnclear, text)
    } else {
        let text = format!(
            "the document has the {} that the policy states",
            with(&[Verdict::Match])
        );
        let role = Some(Role::Document);
        Reason::support(document.proof()?, ReasonCode::DocumentHolder, role, text)
    })
}

/// What the level says. A print proves nothing of its issuer, so it is told and supports nobody.
fn established(
    document: &Assessed<DocumentReport>,
    level: DocumentLevel,
    text: &str,
) -> Option<Reason> {
    let note = |code| Some(doubt(Doubt::Note, code, text));
    match level {
        DocumentLevel::Read => note(ReasonCode::DocumentRead),
        DocumentLevel::Consistent => note(ReasonCode::DocumentConsistent),
        DocumentLevel::Signed => Some(Reason::support(
            document.proof()?,
            ReasonCode::DocumentSigned,
            Some(Role::Document),
            text,
        )),
    }
}
