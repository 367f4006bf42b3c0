//! The page of the failover that the tour plays, for a browser on this machine: where it stands, from what the store has.
//! It never changes anything, needs no script, and shows every text as text.

use lifeboat_execution::operator::Operator;

use crate::failover;

/// The recovery plan whose failover is shown.
pub const PLAN: &str = "shop";
/// How often a browser asks again, in seconds.
const REFRESHED_EVERY_SECS: u32 = 2;

/// The page as it is now.
pub async fn failover(operator: &Operator) -> String {
    let lines = match operator.failover_ahead(PLAN).await {
        Ok((ahead, now)) => match &ahead.last {
            Some(last) => last.lines.iter().cloned().chain([String::new(), last.runbook.clone()]).collect(),
            None => failover::ahead_lines(&ahead, now),
        },
        Err(error) => vec![format!("what a failover would do is not known: {error}")],
    };
    page(&lines.join("\n"))
}

fn page(text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"refresh\" content=\"{REFRESHED_EVERY_SECS}\"><title>Failover of {PLAN}</title></head>\
         <body><h1>Failover of {PLAN}</h1><p><a href=\"/status\">Status</a></p><pre>{}</pre></body></html>\n",
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_text_is_shown_as_text() {
        let page = page("done <script>alert(1)</script> & more");
        assert!(page.contains("done &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
