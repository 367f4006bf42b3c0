//! Restic's `forget` on the same dates, rule by rule.
