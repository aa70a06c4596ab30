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
        $(#[$meta:meta])*
        $vis:vis enum $enum:ident {
            $(
                $(#[doc = $sentence:literal])+
                $value:ident $(= $number:literal)? => $name:literal $(in $unit:literal)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $enum {
            $( $(#[doc = $sentence])+ $value $(= $number)? ),+
        }

        impl $enum {
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

pub(crate) use {names, unit};
