//! The macro that declares a resource or a part of one, once for everything.

/// Declares a resource or a part of one; see the module documentation.
///
/// ```text
/// object! {
///     /// A subnet.
///     pub struct Subnet("subnet") by(cidr) {
///         /// The IPv4 range.
///         cidr: Cidr => required, Replace;
///         /// Whether instances get a public address.
///         public_ip_on_launch: bool => default(false), Update;
///     }
/// }
/// ```
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident($title:literal) $(by($($key:ident),+))? {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident: $type:ty => $presence:ident $(($default:expr))?, $on_change:ident;
            )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)+
        }

        impl $crate::attribute::Object for $name {
            const OBJECT: $crate::attribute::ObjectType = $crate::attribute::ObjectType {
                title: $title,
                doc: concat!($($doc, "\n"),*),
                attributes: &[$($crate::attribute::Attribute {
                    name: stringify!($field),
                    doc: concat!($($field_doc, "\n"),*),
                    holds: <$type as $crate::attribute::AttributeType>::TYPE,
                    presence: $crate::attribute::object!(@presence $presence $type $(, $default)?),
                    on_change: $crate::attribute::OnChange::$on_change,
                }),+],
                key: &[$($(stringify!($key)),+)?],
            };
        }

        impl $crate::attribute::AttributeType for $name {
            const TYPE: $crate::attribute::Type = $crate::attribute::Type::Object(
                &<Self as $crate::attribute::Object>::OBJECT,
            );

            fn read(
                value: &$crate::value::Value,
                at: &$crate::value::Path,
                problems: &mut $crate::attribute::Problems,
            ) -> Option<Self> {
                let object = &<Self as $crate::attribute::Object>::OBJECT;
                let members = problems.members(value, at, object)?;
                $(
                    let given = members
                        .get(stringify!($field))
                        .unwrap_or(&$crate::value::Value::Null);
                    let $field = $crate::attribute::object!(
                        @read $presence given, at, problems, $field: $type $(, $default)?
                    );
                )+
                // Every field is read before the first missing one ends this: all problems are reported at once.
                Some(Self { $($field: $field?),+ })
            }

            fn to_value(&self) -> $crate::value::Value {
                let Self { $($field),+ } = self;
                // Not `from`: that would be compiled, with a sort, for each number of attributes.
                let mut members = std::collections::BTreeMap::new();
                $(members.insert(
                    stringify!($field).to_owned(),
                    $crate::attribute::AttributeType::to_value($field),
                );)+
                $crate::value::Value::Object(members)
            }
        }
    };

    (@presence required $type:ty) => { $crate::attribute::Presence::Required };
    (@presence optional $type:ty) => { $crate::attribute::Presence::Optional };
    (@presence chosen $type:ty) => { $crate::attribute::Presence::Chosen };
    (@presence default $type:ty, $default:expr) => {
        $crate::attribute::Presence::Default(|| {
            let default: $type = $default;
            $crate::attribute::AttributeType::to_value(&default)
        })
    };

    (@read required $given:ident, $at:ident, $problems:ident, $field:ident: $type:ty) => {
        $problems.required::<$type>(stringify!($field), $given, $at)
    };
    (@read default $given:ident, $at:ident, $problems:ident, $field:ident: $type:ty, $default:expr) => {
        if *$given == $crate::value::Value::Null {
            Some($default)
        } else {
            <$type as $crate::attribute::AttributeType>::read(
                $given,
                &$at.member(stringify!($field)),
                $problems,
            )
        }
    };
    (@read $presence:ident $given:ident, $at:ident, $problems:ident, $field:ident: $type:ty) => {
        <$type as $crate::attribute::AttributeType>::read(
            $given,
            &$at.member(stringify!($field)),
            $problems,
        )
    };
}
pub(crate) use object;
