//! Cuts a query into tokens, each with its place.
//! It never judges order: that is the parser's.

/// Longest query that is read, in bytes. *Assumed* (`graph-query-length`): the service has a limit, no source says which.
pub(super) const QUERY_BYTES: usize = 64 * 1024;

/// A token and where it starts: line from 1, character from 0, as the service counts (recorded).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a word, with `-` inside where the word needs it, as `project-away`.
    Word,
    /// A text without its quotes, escapes undone.
    Text(String),
    Number(f64),
    /// A span of time in seconds, as `15m`.
    Span(f64),
    /// An operator or a bracket; its text says which.
    Sign,
    End,
}

struct Cursor<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line += 1;
            self.column = 0;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(&c) = self.rest.peek().filter(|&&c| wanted(c)) {
            taken.push(c);
            self.next();
        }
        taken
    }
}

/// All tokens, an end last; or the token at which it fails.
pub(super) fn tokens(query: &str) -> Result<Vec<Token>, Token> {
    let mut cursor = Cursor { rest: query.chars().peekable(), line: 1, column: 0 };
    let mut found = Vec::new();
    loop {
        cursor.take_while(char::is_whitespace);
        let (line, column) = (cursor.line, cursor.column);
        let at = |kind, text: &str| Token { kind, text: text.to_owned(), line, column };
        let Some(&first) = cursor.rest.peek() else {
            found.push(at(Kind::End, "<EOF>"));
            return Ok(found);
        };
        match first {
            '"' | '\'' => {
                let Some(text) = quoted(&mut cursor) else {
                    return Err(at(Kind::End, "<EOF>"));
                };
                found.push(Token { kind: Kind::Text(text.clone()), text, line, column });
            }
            c if c.is_ascii_digit() => found.push(number(&mut cursor, line, column)?),
            c if c.is_alphabetic() || c == '_' || c == '$' => {
                let mut word = cursor.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$');
                // `in~` is one word; no other word ends so.
                if word == "in" && cursor.rest.peek() == Some(&'~') {
                    cursor.next();
                    word.push('~');
                }
                let dated = word == "datetime" && cursor.rest.peek() == Some(&'(');
                found.push(at(Kind::Word, &word));
                if dated {
                    found.extend(bare_time(&mut cursor));
                }
            }
            _ => {
                let Some(sign) = sign(&mut cursor) else {
                    return Err(at(Kind::Sign, &first.to_string()));
                };
                if sign != "//" {
                    found.push(at(Kind::Sign, sign));
                } else {
                    cursor.take_while(|c| c != '\n');
                }
            }
        }
    }
}

fn quoted(cursor: &mut Cursor<'_>) -> Option<String> {
    let quote = cursor.next()?;
    let mut text = String::new();
    loop {
        match cursor.next()? {
            '\\' => match cursor.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                c => text.push(c),
            },
            '\n' => return None,
            c if c == quote => return Some(text),
            c => text.push(c),
        }
    }
}

/// The brackets after `datetime` and what is between them: a time needs no quotes, so its signs are not operators.
fn bare_time(cursor: &mut Cursor<'_>) -> Vec<Token> {
    let mut found = Vec::new();
    let place = |cursor: &Cursor<'_>| (cursor.line, cursor.column);
    let (line, column) = place(cursor);
    cursor.next();
    found.push(Token { kind: Kind::Sign, text: "(".to_owned(), line, column });
    let (line, column) = place(cursor);
    let text = cursor.take_while(|c| c != ')');
    let text = text.trim().trim_matches(['"', '\'']).to_owned();
    found.push(Token { kind: Kind::Text(text.clone()), text, line, column });
    found
}

fn number(cursor: &mut Cursor<'_>, line: usize, column: usize) -> Result<Token, Token> {
    let mut seen_dot = false;
    let digits = cursor.take_while(|c| {
        let dot = c == '.' && !seen_dot;
        seen_dot |= dot;
        c.is_ascii_digit() || dot
    });
    let unit = cursor.take_while(char::is_alphanumeric);
    let text = format!("{digits}{unit}");
    let value: f64 = digits.parse().unwrap_or(0.0);
    let seconds = match unit.as_str() {
        "" => return Ok(Token { kind: Kind::Number(value), text, line, column }),
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(Token { kind: Kind::Word, text, line, column }),
    };
    Ok(Token { kind: Kind::Span(value * seconds), text, line, column })
}

fn sign(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    const SIGNS: [&str; 20] =
        ["//", "==", "=~", "!=", "!~", "<=", ">=", "..", "|", ",", "(", ")", "[", "]", ".", "=", "<", ">", "-", "!"];
    let ahead: String = cursor.rest.clone().take(2).collect();
    let found = SIGNS.into_iter().find(|sign| ahead.starts_with(sign))?;
    for _ in found.chars() {
        cursor.next();
    }
    Some(found)
}
