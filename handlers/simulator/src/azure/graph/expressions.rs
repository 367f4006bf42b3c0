//! Reads expressions: values, functions, comparisons and how they are joined. The stages around them are `parser`'s.
//! It never guesses: a word that it does not know is a failure, not a name.

use super::lexer::{Kind, Token};
use super::syntax::{Compare, Expr, Function, time_of};

/// Deepest nesting of brackets: each is a call of the parser.
const DEPTH: usize = 64;

/// What is being read.
pub(super) struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
    /// Whether the answer depends on the time.
    pub(super) uses_time: bool,
}

impl Parser {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens, place: 0, depth: 0, uses_time: false }
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.place.min(self.tokens.len() - 1)]
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.place += 1;
        token
    }

    pub(super) fn fail(&self) -> Token {
        self.peek().clone()
    }

    pub(super) fn accept(&mut self, sign: &str) -> bool {
        let found = self.peek().kind == Kind::Sign && self.peek().text == sign;
        self.place += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Token> {
        if self.accept(sign) { Ok(()) } else { Err(self.fail()) }
    }

    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.peek().kind == Kind::Word && self.peek().text == word;
        self.place += usize::from(found);
        found
    }

    pub(super) fn word(&mut self) -> Result<String, Token> {
        if self.peek().kind == Kind::Word { Ok(self.next().text) } else { Err(self.fail()) }
    }

    /// The token after the next one is this sign.
    pub(super) fn sign_follows(&self, sign: &str) -> bool {
        self.tokens.get(self.place + 1).is_some_and(|next| next.kind == Kind::Sign && next.text == sign)
    }

    /// One deeper; too deep is a failure.
    pub(super) fn descend(&mut self) -> Result<(), Token> {
        self.depth += 1;
        if self.depth > DEPTH { Err(self.fail()) } else { Ok(()) }
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// A condition must be one: a bare value fails where an operator is missing.
    pub(super) fn condition(&mut self) -> Result<Expr, Token> {
        let condition = self.either()?;
        if is_condition(&condition) { Ok(condition) } else { Err(self.fail()) }
    }

    pub(super) fn either(&mut self) -> Result<Expr, Token> {
        self.descend()?;
        let mut left = self.both()?;
        while self.accept_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.both()?));
        }
        self.ascend();
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

    pub(super) fn value(&mut self) -> Result<Expr, Token> {
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

/// Whether an expression is a condition.
pub(super) fn is_condition(expr: &Expr) -> bool {
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
