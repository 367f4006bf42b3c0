//! Policy documents for tests, written as people write them.
//! It never checks them: the product does.

/// A policy for machines tagged env=prod, with one entry on creation.
pub fn document(mode: &str, within: &str) -> String {
    format!(
        "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: production }}\nspec:\n  mode: {mode}\n  match:\n    \
         all: [ {{ tag: {{ env: prod }} }}, {{ not: {{ tag: {{ lifeboat: skip }} }} }} ]\n  points:\n    - name: first\n      \
         kind: restorePoint\n      onCreate: {{ within: {within} }}\n"
    )
}
