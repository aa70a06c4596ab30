//! Names as tables: every value with its name on the wire and a sentence, in one place.

/// An enum of stable names. Each row is a sentence, the value, its number where C has one, its name
/// on the wire, and its unit where there is one:
///
/// ```text
/// /// The face is not sharp.
/// Blurred = 8 => "blurred",
/// /// Fine detail of the face against its contrast.
/// Sharpness => "sharpness" in "luminance steps",
/// ```
///
/// A name or a number is never changed or used again.
macro_rules! names {
    (
        $(#[$($meta:tt)+])*
        $vis:vis enum $enum:ident {
            $(
                $(#[doc = $sentence:literal])+
                $value:ident $(= $number:literal)? => $name:literal $(in $unit:literal)?
            ),+ $(,)?
        }
    ) => {
        $(#[$($meta)+])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $enum {
            $( $(#[doc = $sentence])+ $value $(= $number)? ),+
        }

        impl $enum {
            /// What the values are, in a sentence or two.
            pub const ABOUT: &'static str =
                $crate::evidence::names::about!([] $([$($meta)+])*).trim_ascii();

            /// Every value, in a fixed order.
            pub const ALL: &'static [$enum] = &[$($enum::$value),+];

            /// Returns the stable name, as in JSON.
            pub fn name(self) -> &'static str {
                match self { $($enum::$value => $name),+ }
            }

            /// Returns what it means, in a sentence.
            pub fn sentence(self) -> &'static str {
                match self { $($enum::$value => concat!($($sentence),+).trim_ascii()),+ }
            }

            /// Returns the value of that name; `None` for a name that there is not.
            pub fn from_name(name: &str) -> Option<$enum> {
                match name { $($name => Some($enum::$value),)+ _ => None }
            }
        }

        $crate::evidence::names::unit!($enum $($(in $value $unit)?)+);

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $enum {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($enum).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $enum::ABOUT,
                    "oneOf": [$({
                        "const": $name,
                        "description": $enum::$value.sentence(),
                    }),+],
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                $enum::from_name(&name).ok_or_else(|| {
                    let allowed = [$($name),+].join(", ");
                    serde::de::Error::custom(format_args!("unknown name, allowed are {allowed}"))
                })
            }
        }
    };
}

/// The text of the comments among attributes.
macro_rules! about {
    ([$($text:literal)*] [doc = $more:literal] $($rest:tt)*) => {
        $crate::evidence::names::about!([$($text)* $more] $($rest)*)
    };
    ([$($text:literal)*] $other:tt $($rest:tt)*) => {
        $crate::evidence::names::about!([$($text)*] $($rest)*)
    };
    ([$($text:literal)*]) => { concat!($($text),*) };
}

/// The units of a table in which every row has one.
macro_rules! unit {
    ($enum:ident) => {};
    ($enum:ident $(in $value:ident $unit:literal)+) => {
        impl $enum {
            /// Returns the unit of what is measured.
            pub fn unit(self) -> &'static str {
                match self { $($enum::$value => $unit),+ }
            }
        }
    };
}

pub(crate) use {about, names, unit};
