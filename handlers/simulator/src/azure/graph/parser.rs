//! Reads the part of the query language that this Azure answers, and refuses all else where it stands.
//! It never guesses: a word that it does not know is a failure, not a name.
//!
//! ```text
//! query  = [ table ] { "|" stage }            a query may begin with a stage; then the table is Resources
//! stage  = where or | project names | extend names | order by keys | take n | limit n | count | top n by key
//!        | summarize [ "count()" ] [ by names ]
//!        | join [ "kind=" ( inner | innerunique | leftouter ) ] "(" query ")" on columns
//! or     = and { "or" and }    and = not { "and" not }    not = "not" "(" or ")" | compared
//! ```
//!
//! These are the words of the product's own queries, of the recorded ones and of the documents' examples, and no others.

use super::Table;
use super::expressions::{Parser, is_condition};
use super::lexer::{Kind, QUERY_BYTES, Token, tokens};
use super::syntax::{Expr, JoinKind, Query, Stage};

/// A query that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) query: Query,
    /// Whether the answer depends on the time.
    pub(super) uses_time: bool,
}

/// Reads a query, or says at which token it fails.
pub(super) fn parse(query_text: &str) -> Result<Read, Token> {
    if query_text.len() > QUERY_BYTES {
        return Err(Token { kind: Kind::End, text: "<EOF>".to_owned(), line: 1, column: 0 });
    }
    let mut parser = Parser::new(tokens(query_text)?);
    let query = query(&mut parser)?;
    let uses_time = parser.uses_time;
    if parser.peek().kind == Kind::End { Ok(Read { query, uses_time }) } else { Err(parser.fail()) }
}

/// Reads one expression, as a facet has it, or says at which token it fails.
pub(super) fn parse_expression(text: &str) -> Result<Expr, Token> {
    let mut parser = Parser::new(tokens(text)?);
    let expr = parser.either()?;
    if parser.peek().kind == Kind::End { Ok(expr) } else { Err(parser.fail()) }
}

/// Reads a condition, as a facet's filter has it, or says at which token it fails.
pub(super) fn parse_condition(text: &str) -> Result<Expr, Token> {
    let expr = parse_expression(text)?;
    let end = || Token { kind: Kind::End, text: "<EOF>".to_owned(), line: 1, column: text.chars().count() };
    if is_condition(&expr) { Ok(expr) } else { Err(end()) }
}

fn query(parser: &mut Parser) -> Result<Query, Token> {
    let table = parser.table()?;
    let mut stages = Vec::new();
    if table.is_none() {
        stages.push(parser.stage()?);
    }
    while parser.accept("|") {
        stages.push(parser.stage()?);
    }
    Ok(Query { table: table.unwrap_or(Table::Resources), stages })
}

/// How a column is named that was given no name: by the parts of its path, as the service does; one that is made of a path
/// alone by a function is named by that path (documented by an example).
fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => Some(path.join("_")),
        Expr::Call(_, arguments) => match &arguments[..] {
            [Expr::Path(path)] => Some(path.join("_")),
            _ => None,
        },
        _ => None,
    }
}

impl Parser {
    /// The table's name, or nothing when the query begins with a stage.
    fn table(&mut self) -> Result<Option<Table>, Token> {
        const STAGES: [&str; 11] =
            ["where", "project", "extend", "order", "sort", "take", "limit", "count", "top", "summarize", "join"];
        let first = self.peek();
        if first.kind != Kind::Word {
            return Err(self.fail());
        }
        if STAGES.contains(&first.text.as_str()) {
            return Ok(None);
        }
        let table = Table::named(&first.text).ok_or_else(|| self.fail())?;
        self.next();
        Ok(Some(table))
    }

    fn stage(&mut self) -> Result<Stage, Token> {
        let at = self.fail();
        match self.word()?.as_str() {
            "where" => Ok(Stage::Where(self.condition()?)),
            "project" => Ok(Stage::Project(self.columns()?)),
            "extend" => Ok(Stage::Extend(self.columns()?)),
            "order" | "sort" => self.order(),
            "take" | "limit" => Ok(Stage::Take(self.number()?)),
            "count" => Ok(Stage::Count),
            "top" => self.top(),
            "summarize" => self.summarize(),
            "join" => self.join(),
            _ => Err(at),
        }
    }

    fn order(&mut self) -> Result<Stage, Token> {
        if !self.accept_word("by") {
            return Err(self.fail());
        }
        let mut keys = vec![self.key()?];
        while self.accept(",") {
            keys.push(self.key()?);
        }
        Ok(Stage::Order(keys))
    }

    /// A key and whether it descends: without a word it does, so the language has it.
    fn key(&mut self) -> Result<(Expr, bool), Token> {
        let key = self.value()?;
        let descends = !self.accept_word("asc");
        if descends {
            self.accept_word("desc");
        }
        Ok((key, descends))
    }

    fn number(&mut self) -> Result<usize, Token> {
        match self.next() {
            Token { kind: Kind::Number(count), .. } if count >= 0.0 => Ok(count as usize),
            other => Err(other),
        }
    }

    fn top(&mut self) -> Result<Stage, Token> {
        let count = self.number()?;
        if !self.accept_word("by") {
            return Err(self.fail());
        }
        let (key, descends) = self.key()?;
        Ok(Stage::Top(count, key, descends))
    }

    /// Only `count()` is known of what can be made of rows.
    fn summarize(&mut self) -> Result<Stage, Token> {
        let mut count = None;
        if self.peek().text != "by" {
            let name = if self.sign_follows("=") { Some(self.word()?) } else { None };
            if name.is_some() {
                self.expect("=")?;
            }
            if !self.accept_word("count") {
                return Err(self.fail());
            }
            self.expect("(")?;
            self.expect(")")?;
            count = Some(name.unwrap_or_else(|| "count_".to_owned()));
        }
        let by = if self.accept_word("by") { self.columns()? } else { Vec::new() };
        if count.is_none() && by.is_empty() { Err(self.fail()) } else { Ok(Stage::Summarize { count, by }) }
    }

    fn join(&mut self) -> Result<Stage, Token> {
        let mut kind = JoinKind::InnerUnique;
        if self.accept_word("kind") {
            self.expect("=")?;
            let at = self.fail();
            kind = JoinKind::named(&self.word()?).ok_or(at)?;
        }
        self.expect("(")?;
        self.descend()?;
        let right = Box::new(query(self)?);
        self.ascend();
        self.expect(")")?;
        if !self.accept_word("on") {
            return Err(self.fail());
        }
        let mut on = vec![self.pair()?];
        while self.accept(",") {
            on.push(self.pair()?);
        }
        Ok(Stage::Join { kind, right, on })
    }

    /// A column of both sides, or `$left.one == $right.other`.
    fn pair(&mut self) -> Result<(String, String), Token> {
        let first = self.word()?;
        if first != "$left" {
            return Ok((first.clone(), first));
        }
        self.expect(".")?;
        let left = self.word()?;
        self.expect("==")?;
        if !self.accept_word("$right") {
            return Err(self.fail());
        }
        self.expect(".")?;
        Ok((left, self.word()?))
    }

    fn columns(&mut self) -> Result<Vec<(String, Expr)>, Token> {
        let mut columns = Vec::new();
        loop {
            let column = if self.sign_follows("=") {
                let name = self.word()?;
                self.expect("=")?;
                (name, self.either()?)
            } else {
                let expr = self.value()?;
                (name_of(&expr).ok_or_else(|| self.fail())?, expr)
            };
            columns.push(column);
            if !self.accept(",") {
                return Ok(columns);
            }
        }
    }
}
