//! What a line is of: a sku and its options; and the line's id, which is derived from them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A sku and its options. Two devices that name the same item mean the same line, offline too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    sku: Box<str>,
    /// Sorted by name as JCS sorts (UTF-16 code units), each name once.
    options: Vec<(Box<str>, Box<str>)>,
}

/// Why a sku and options are not an item. Lengths are in characters (Unicode scalar values).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The sku is empty or over 128 characters.
    #[error("a sku has 1 to 128 characters")]
    Sku,
    /// Over 20 options.
    #[error("a line has at most 20 options")]
    TooManyOptions,
    /// An option's name is empty or over 64 characters.
    #[error("an option's name has 1 to 64 characters")]
    OptionName(String),
    /// An option's value is over 256 characters.
    #[error("an option's value has at most 256 characters")]
    OptionValue(String),
    /// An option is named twice.
    #[error("an option is named once")]
    OptionTwice(String),
}

impl Item {
    /// Longest sku, in characters.
    pub const SKU_CHARS_MAX: usize = 128;
    /// Most options of one line.
    pub const OPTIONS_MAX: usize = 20;
    /// Longest name of an option, in characters.
    pub const OPTION_NAME_CHARS_MAX: usize = 64;
    /// Longest value of an option, in characters.
    pub const OPTION_VALUE_CHARS_MAX: usize = 256;

    /// An item, where sku and options are within their bounds.
    pub fn new(sku: &str, options: Vec<(String, String)>) -> Result<Item, ItemError> {
        if sku.is_empty() || sku.chars().count() > Item::SKU_CHARS_MAX {
            return Err(ItemError::Sku);
        }
        if options.len() > Item::OPTIONS_MAX {
            return Err(ItemError::TooManyOptions);
        }
        for (name, value) in &options {
            if name.is_empty() || name.chars().count() > Item::OPTION_NAME_CHARS_MAX {
                return Err(ItemError::OptionName(name.clone()));
            }
            if value.chars().count() > Item::OPTION_VALUE_CHARS_MAX {
                return Err(ItemError::OptionValue(name.clone()));
            }
        }
        let mut options: Vec<_> = options
            .into_iter()
            .map(|(name, value)| (name.into_boxed_str(), value.into_boxed_str()))
            .collect();
        options.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        if let Some(twice) = options.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ItemError::OptionTwice(twice[0].0.to_string()));
        }
        Ok(Item { sku: sku.into(), options })
    }

    /// The shop's name of the product.
    pub fn sku(&self) -> &str {
        &self.sku
    }

    /// Names and values, in the order of the canonical JSON.
    pub fn options(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.options.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The bytes of text it holds, which a cart bounds as a whole.
    pub fn text_bytes(&self) -> usize {
        self.sku.len() + self.options.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }

    /// The id of its line: the first 22 base64url characters of SHA-256 of the canonical JSON of `[sku, options]`.
    pub fn line_id(&self) -> LineId {
        let digest = Sha256::digest(self.canonical_json().as_bytes());
        let mut id = [0; 22];
        id.copy_from_slice(&URL_SAFE_NO_PAD.encode(digest).as_bytes()[..22]);
        LineId(id)
    }

    /// `[sku, options]` as RFC 8785 (JCS) writes it.
    pub fn canonical_json(&self) -> String {
        let mut json = String::with_capacity(self.text_bytes() + 16);
        json.push('[');
        push_json_string(&mut json, &self.sku);
        json.push_str(",{");
        for (i, (name, value)) in self.options.iter().enumerate() {
            if i > 0 {
                json.push(',');
            }
            push_json_string(&mut json, name);
            json.push(':');
            push_json_string(&mut json, value);
        }
        json.push_str("}]");
        json
    }
}

/// RFC 8785, section 3.2.2.2: the two-character escapes where JSON has them, `\u00xx` for the other controls.
fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\t' => json.push_str("\\t"),
            '\n' => json.push_str("\\n"),
            '\u{c}' => json.push_str("\\f"),
            '\r' => json.push_str("\\r"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

/// A line's id: 22 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId([u8; 22]);

impl LineId {
    /// From its text; none where it does not have the form.
    pub fn parse(text: &str) -> Option<LineId> {
        let bytes: [u8; 22] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).then_some(LineId(bytes))
    }

    /// Its 22 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
