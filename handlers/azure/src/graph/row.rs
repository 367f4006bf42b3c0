//! Reads the rows of an answer straight from its bytes: a page has a thousand of them, and a tree of JSON values in between
//! more than doubles the reading.
//!
//! It never fails on a field: one of another type than a text is an absent one. A row that is no object is none.

use super::{CollectionRow, ItemRow, MachineRow};
use crate::{json, machines::Os};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// The columns that the queries ask for; each query asks for some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    id: Option<String>,
    name: Option<String>,
    location: Option<String>,
    resource_group: Option<String>,
    subscription_id: Option<String>,
    tags: BTreeMap<String, String>,
    managed_by: Option<String>,
    vm_id: Option<String>,
    time_created: Option<String>,
    scale_set: Option<String>,
    os_type: Option<String>,
    vm_size: Option<String>,
    source: Option<String>,
}

impl Row {
    /// A machine's row; none without its id. KQL's `tostring` of nothing is the empty text.
    pub fn machine(self) -> Option<MachineRow> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Some(MachineRow {
            id: self.id?,
            name: self.name.unwrap_or_default(),
            location: json::region(&self.location.unwrap_or_default()),
            resource_group: self.resource_group.unwrap_or_default(),
            subscription: self.subscription_id.unwrap_or_default(),
            tags: self.tags,
            vm_id: self.vm_id.unwrap_or_default(),
            time_created: self.time_created.as_deref().and_then(json::moment),
            managed_by: filled(self.managed_by),
            scale_set: filled(self.scale_set),
            os: self.os_type.as_deref().and_then(Os::read),
            size: filled(self.vm_size),
        })
    }

    /// An item's row; none without its id.
    pub fn item(self) -> Option<ItemRow> {
        Some(ItemRow { id: self.id?, machine: self.source.unwrap_or_default() })
    }

    /// A collection's row; none without its id.
    pub fn collection(self) -> Option<CollectionRow> {
        Some(CollectionRow {
            id: self.id?,
            name: self.name.unwrap_or_default(),
            location: json::region(&self.location.unwrap_or_default()),
            resource_group: self.resource_group.unwrap_or_default(),
            subscription: self.subscription_id.unwrap_or_default(),
            tags: self.tags,
            source: self.source.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Column {
    Id,
    Name,
    Location,
    ResourceGroup,
    SubscriptionId,
    Tags,
    ManagedBy,
    VmId,
    TimeCreated,
    ScaleSet,
    OsType,
    VmSize,
    Source,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row = Row::default();
        while let Some(column) = map.next_key()? {
            let place = match column {
                Column::Id => &mut row.id,
                Column::Name => &mut row.name,
                Column::Location => &mut row.location,
                Column::ResourceGroup => &mut row.resource_group,
                Column::SubscriptionId => &mut row.subscription_id,
                Column::ManagedBy => &mut row.managed_by,
                Column::VmId => &mut row.vm_id,
                Column::TimeCreated => &mut row.time_created,
                Column::ScaleSet => &mut row.scale_set,
                Column::OsType => &mut row.os_type,
                Column::VmSize => &mut row.vm_size,
                Column::Source => &mut row.source,
                Column::Tags => {
                    row.tags = map.next_value::<Loose>()?.tags();
                    continue;
                }
                Column::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = map.next_value::<Loose>()?.text();
        }
        Ok(row)
    }
}

/// A text, the texts of an object, or anything else, which is passed over.
#[derive(Default)]
pub(super) enum Loose {
    Text(String),
    Tags(BTreeMap<String, String>),
    Truth(bool),
    #[default]
    Nothing,
}

impl Loose {
    /// The text, if it is one.
    pub fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether it says true: Resource Graph's document has a text where one expects a truth.
    pub fn says_true(&self) -> bool {
        match self {
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            Self::Truth(truth) => *truth,
            Self::Tags(_) | Self::Nothing => false,
        }
    }

    fn tags(self) -> BTreeMap<String, String> {
        if let Self::Tags(tags) = self { tags } else { BTreeMap::new() }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Loose, E> {
        Ok(Loose::Truth(truth))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Loose, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut tags = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Loose>()? {
            tags.extend(value.text().map(|value| (name, value)));
        }
        Ok(Loose::Tags(tags))
    }
}
