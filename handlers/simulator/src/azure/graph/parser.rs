//! Reads the part of the query language that this Azure answers, and refuses all else where it stands.
//! It never guesses: a word that it does not know is a failure, not a name.
//!
//! ```text
//! query  = [ table ] { "|" stage }            a query may begin with a stage; then the table is Resources
//! stage  = where or | project names | extend names | order by keys | take n | limit n | count
//! or     = and { "or" and }    and = not { "and" not }    not = "not" "(" or ")" | compared
//! ```

use super::Table;
use super::lexer::{Kind, QUERY_BYTES, Token, tokens};
use super::syntax::{Compare, Expr, Function, Query, Stage, time_of};

/// Deepest nesting of brackets: each is a call of the parser.
const DEPTH: usize = 64;

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
    uses_time: bool,
}

/// Reads a query, or says at which token it fails.
pub(super) fn parse(query: &str) -> Result<Query, Token> {
    if query.len() > QUERY_BYTES {
        return Err(Token { kind: Kind::End, text: "<EOF>".to_owned(), line: 1, column: 0 });
    }
    let mut parser = Parser { tokens: tokens(query)?, place: 0, depth: 0, uses_time: false };
    let table = parser.table()?;
    let mut stages = Vec::new();
    if table.is_none() {
        stages.push(parser.stage()?);
    }
    while parser.accept("|") {
        stages.push(parser.stage()?);
    }
    if parser.peek().kind != Kind::End {
        return Err(parser.fail());
    }
    Ok(Query { table: table.unwrap_or(Table::Resources), stages, uses_time: parser.uses_time })
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.place.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.place += 1;
        token
    }

    fn fail(&self) -> Token {
        self.peek().clone()
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.peek().kind == Kind::Sign && self.peek().text == sign;
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Token> {
        if self.accept(sign) { Ok(()) } else { Err(self.fail()) }
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.peek().kind == Kind::Word && self.peek().text == word;
        self.place += usize::from(found);
        found
    }

    fn word(&mut self) -> Result<String, Token> {
        if self.peek().kind == Kind::Word { Ok(self.next().text) } else { Err(self.fail()) }
    }

    /// The table's name, or nothing when the query begins with a stage.
    fn table(&mut self) -> Result<Option<Table>, Token> {
        const STAGES: [&str; 8] = ["where", "project", "extend", "order", "sort", "take", "limit", "count"];
        let first = self.peek();
        if first.kind != Kind::Word {
            return Err(self.fail());
        }
        if STAGES.contains(&first.text.as_str()) {
            return Ok(None);
        }
        let table = Table::named(&first.text).ok_or_else(|| self.fail())?;
        self.place += 1;
        Ok(Some(table))
    }

    fn stage(&mut self) -> Result<Stage, Token> {
        let at = self.fail();
        match self.word()?.as_str() {
            "where" => Ok(Stage::Where(self.condition()?)),
            "project" => Ok(Stage::Project(self.columns()?)),
            "extend" => Ok(Stage::Extend(self.columns()?)),
            "order" | "sort" => self.order(),
            "take" | "limit" => match self.next() {
                Token { kind: Kind::Number(count), .. } if count >= 0.0 => Ok(Stage::Take(count as usize)),
                other => Err(other),
            },
            "count" => Ok(Stage::Count),
            _ => Err(at),
        }
    }

    fn order(&mut self) -> Result<Stage, Token> {
        if !self.accept_word("by") {
            return Err(self.fail());
        }
        let mut keys = Vec::new();
        loop {
            let key = self.value()?;
            // Without a word the order descends: so the language has it.
            let descends = !self.accept_word("asc");
            if descends {
                self.accept_word("desc");
            }
            keys.push((key, descends));
            if !self.accept(",") {
                return Ok(Stage::Order(keys));
            }
        }
    }

    fn columns(&mut self) -> Result<Vec<(String, Expr)>, Token> {
        let mut columns = Vec::new();
        loop {
            let named = self.tokens.get(self.place + 1).is_some_and(|next| next.kind == Kind::Sign && next.text == "=");
            let column = if named {
                let name = self.word()?;
                self.place += 1;
                (name, self.either()?)
            } else {
                let expr = self.value()?;
                let Expr::Path(path) = &expr else { return Err(self.fail()) };
                // A dotted path without a name is named by its parts, as the service does.
                (path.join("_"), expr)
            };
            columns.push(column);
            if !self.accept(",") {
                return Ok(columns);
            }
        }
    }

    /// A condition must be one: a bare value fails where an operator is missing.
    fn condition(&mut self) -> Result<Expr, Token> {
        let condition = self.either()?;
        if is_condition(&condition) { Ok(condition) } else { Err(self.fail()) }
    }

    fn either(&mut self) -> Result<Expr, Token> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.fail());
        }
        let mut left = self.both()?;
        while self.accept_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Expr, Token> {
        let mut left = self.compared()?;
        while self.accept_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.compared()?));
        }
        Ok(left)
    }

    fn compared(&mut self) -> Result<Expr, Token> {
        if self.peek().kind == Kind::Word && self.peek().text == "not" {
            self.place += 1;
            self.expect("(")?;
            let inner = self.condition()?;
            self.expect(")")?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let left = self.value()?;
        if let Some((any_case, negated)) = self.membership() {
            let list = self.list()?;
            return Ok(Expr::In { value: Box::new(left), list, any_case, negated });
        }
        match self.comparison() {
            Some(how) => Ok(Expr::Compare(Box::new(left), how, Box::new(self.value()?))),
            None => Ok(left),
        }
    }

    /// `in`, `in~`, `!in`, `!in~`: whether any case goes, and whether it is turned round.
    fn membership(&mut self) -> Option<(bool, bool)> {
        let begin = self.place;
        let negated = self.accept("!");
        if self.accept_word("in") {
            return Some((false, negated));
        }
        if self.accept_word("in~") {
            return Some((true, negated));
        }
        self.place = begin;
        None
    }

    fn list(&mut self) -> Result<Vec<Expr>, Token> {
        self.expect("(")?;
        let mut list = vec![self.value()?];
        while self.accept(",") {
            list.push(self.value()?);
        }
        self.expect(")")?;
        Ok(list)
    }

    fn comparison(&mut self) -> Option<Compare> {
        let begin = self.place;
        let negated = self.accept("!");
        let token = self.next();
        let found = match (token.text.as_str(), &token.kind, negated) {
            ("contains", Kind::Word, true) => Some(Compare::NotContains),
            (_, _, true) => None,
            ("==", Kind::Sign, _) => Some(Compare::Equal),
            ("!=", Kind::Sign, _) => Some(Compare::NotEqual),
            ("=~", Kind::Sign, _) => Some(Compare::EqualAnyCase),
            ("!~", Kind::Sign, _) => Some(Compare::NotEqualAnyCase),
            ("<", Kind::Sign, _) => Some(Compare::Less),
            ("<=", Kind::Sign, _) => Some(Compare::LessOrEqual),
            (">", Kind::Sign, _) => Some(Compare::Greater),
            (">=", Kind::Sign, _) => Some(Compare::GreaterOrEqual),
            ("contains", Kind::Word, _) => Some(Compare::Contains),
            ("startswith", Kind::Word, _) => Some(Compare::StartsWith),
            ("endswith", Kind::Word, _) => Some(Compare::EndsWith),
            ("has", Kind::Word, _) => Some(Compare::Has),
            _ => None,
        };
        if found.is_none() {
            self.place = begin;
        }
        found
    }

    fn value(&mut self) -> Result<Expr, Token> {
        let token = self.next();
        match token.kind {
            Kind::Text(text) => Ok(Expr::Text(text)),
            Kind::Number(number) => Ok(Expr::Number(number)),
            Kind::Span(seconds) => Ok(Expr::Span(seconds)),
            Kind::Sign if token.text == "(" => {
                let inner = self.either()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Word => self.named(token),
            Kind::Sign | Kind::End => {
                self.place -= 1;
                Err(token)
            }
        }
    }

    fn named(&mut self, token: Token) -> Result<Expr, Token> {
        match token.text.as_str() {
            "true" => return Ok(Expr::Bool(true)),
            "false" => return Ok(Expr::Bool(false)),
            "dynamic" => {
                self.expect("(")?;
                let null = self.accept_word("null");
                self.expect(")")?;
                return if null { Ok(Expr::Null) } else { Err(token) };
            }
            "datetime" => return self.datetime(),
            _ => {}
        }
        if self.peek().kind == Kind::Sign && self.peek().text == "(" {
            let function = Function::named(&token.text).ok_or(token)?;
            self.uses_time |= matches!(function, Function::Ago | Function::Now);
            return self.arguments(function);
        }
        let mut path = vec![token.text];
        loop {
            if self.accept(".") {
                path.push(self.word()?);
            } else if self.accept("[") {
                match self.next() {
                    Token { kind: Kind::Text(text), .. } => path.push(text),
                    Token { kind: Kind::Number(index), .. } => path.push(format!("{index}")),
                    other => return Err(other),
                }
                self.expect("]")?;
            } else {
                return Ok(Expr::Path(path));
            }
        }
    }

    fn arguments(&mut self, function: Function) -> Result<Expr, Token> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if !self.accept(")") {
            arguments.push(self.either()?);
            while self.accept(",") {
                arguments.push(self.either()?);
            }
            self.expect(")")?;
        }
        let wanted = match function {
            Function::Now => 0..=0,
            Function::Coalesce => 2..=16,
            _ => 1..=1,
        };
        if wanted.contains(&arguments.len()) { Ok(Expr::Call(function, arguments)) } else { Err(self.fail()) }
    }

    fn datetime(&mut self) -> Result<Expr, Token> {
        self.expect("(")?;
        let token = self.next();
        self.expect(")")?;
        time_of(&token.text).map(Expr::Time).ok_or(token)
    }
}

fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Compare(..) | Expr::In { .. } | Expr::Not(_) | Expr::Bool(_) => true,
        Expr::And(left, right) | Expr::Or(left, right) => is_condition(left) && is_condition(right),
        Expr::Call(function, _) => {
            use Function::{IsEmpty, IsNotEmpty, IsNotNull, IsNull};
            matches!(function, IsNull | IsNotNull | IsEmpty | IsNotEmpty)
        }
        _ => false,
    }
}
