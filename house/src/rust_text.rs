//! Rust source as tokens, without comments, strings and characters: as much of the language as the rules need.

/// One token and the line it stands in, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub line: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a number.
    Word(String),
    /// `::`
    PathSep,
    /// Any other single character.
    Mark(char),
}

impl Token {
    /// Whether it is this word.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    /// Whether it is this mark.
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// The tokens of a source file.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1 };
    let mut tokens = Vec::new();
    while let Some(kind) = reader.next_kind() {
        tokens.push(Token { kind, line: reader.line });
    }
    tokens
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn next_kind(&mut self) -> Option<Kind> {
        loop {
            let first = self.rest.chars().next()?;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if self.rest.starts_with("//") {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.skip(block_comment_len(self.rest));
            } else if let Some(len) = literal_len(self.rest) {
                self.skip(len);
            } else {
                return Some(self.take(first));
            }
        }
    }

    fn take(&mut self, first: char) -> Kind {
        if self.rest.starts_with("::") {
            self.skip(2);
            return Kind::PathSep;
        }
        let len = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        if len == 0 {
            self.skip(first.len_utf8());
            return Kind::Mark(first);
        }
        let word = self.rest[..len].to_owned();
        self.skip(len);
        Kind::Word(word)
    }

    fn skip(&mut self, len: usize) {
        self.line += self.rest[..len].matches('\n').count();
        self.rest = &self.rest[len..];
    }
}

/// How long the block comment is that `text` begins with; they nest.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// How long the string or character literal is that `text` begins with; none where it begins with something else.
fn literal_len(text: &str) -> Option<usize> {
    let unprefixed = text.strip_prefix("br").or_else(|| text.strip_prefix('r')).unwrap_or(text);
    if unprefixed.len() < text.len() {
        let hashes = unprefixed.len() - unprefixed.trim_start_matches('#').len();
        if let Some(body) = unprefixed[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let len = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(text.len() - body.len() + len);
        }
    }
    let quoted = text.strip_prefix(['b', 'c']).filter(|rest| rest.starts_with(['"', '\''])).unwrap_or(text);
    let prefix = text.len() - quoted.len();
    match quoted.as_bytes() {
        [b'"', ..] => Some(prefix + escaped_len(quoted, '"')),
        [b'\'', b'\\', ..] => Some(prefix + escaped_len(quoted, '\'')),
        // 'a' is a character, 'a alone is a lifetime.
        [b'\'', ..] => {
            let mut chars = quoted[1..].chars();
            let inner = chars.next()?;
            (chars.next() == Some('\'')).then_some(prefix + 2 + inner.len_utf8())
        }
        _ => None,
    }
}

/// The length of what `text` begins with, from its first quote to the next one that no backslash escapes.
fn escaped_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        let word = |token: &Token| match &token.kind {
            Kind::Word(word) => word.clone(),
            Kind::PathSep => "::".to_owned(),
            Kind::Mark(mark) => mark.to_string(),
        };
        tokens(source).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        assert_eq!(text("a // b\n/* c /* d */ e */ f"), "a f");
        assert_eq!(
            text(r##"a("b::c \" d", r#"e " f"#, b"g", br"h", '"', '\'', b'x', '{')"##),
            "a ( , , , , , , , )"
        );
        assert_eq!(text("fn a<'b>(c: &'b str) {}"), "fn a < ' b > ( c : & ' b str ) { }");
        assert_eq!(text("let r = break_r; crate::a"), "let r = break_r ; crate :: a");
    }

    #[test]
    fn lines_are_counted_through_everything_that_is_skipped() {
        let last = tokens("/*\n*/ \"\n\n\"\n// x\nend").pop().unwrap();
        assert_eq!((last.is_word("end"), last.line), (true, 6));
    }
}
