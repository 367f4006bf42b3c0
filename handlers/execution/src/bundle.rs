//! A bundle: the documents, policies and recovery plans, that are in force together, immutable in the store and named by the digest of its bytes.
//! It never falls back to a part: one document that cannot be read makes the whole bundle one that cannot be read.

use lifeboat_contract::policy::{Documents, read_documents};
use lifeboat_planning::id::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::{RecordError, read_up_to};

/// The version of [`Bundle`] that this release writes.
pub const VERSION: u32 = 1;
/// Files in a bundle, at most: those of a set of policies.
pub const FILES_MAX: usize = lifeboat_contract::policy::FILES_MAX;
/// All texts of a bundle together, in bytes: those of a set of policies, which one blob and an answer of the store hold, with room
/// for how JSON writes them.
pub const TEXT_BYTES_MAX: usize = lifeboat_contract::policy::FILES_BYTES_MAX;

/// The documents of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// Version of the record.
    pub version: u32,
    /// The documents, in the order of their names.
    pub files: Vec<File>,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Why a bundle is not one to go by. Repeating is pointless.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its bytes are not those that its name stands for.
    #[error("its content has another digest")]
    Altered,
    /// Not such a record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It has no document: that would keep nobody's points and protect nobody.
    #[error("it has no document")]
    Empty,
    /// It has recovery plans and no policy: one is in force at a time, and nothing would be protected by this one.
    #[error("it has recovery plans and no backup policy: in force, it would take the place of all policies")]
    NoPolicy,
    /// More than a bundle holds.
    #[error("it has {files} files with {bytes} bytes; {FILES_MAX} with {TEXT_BYTES_MAX} are held")]
    TooLarge {
        /// How many.
        files: usize,
        /// How much text.
        bytes: usize,
    },
    /// Documents have problems.
    #[error("{}", problems.join("; "))]
    Documents {
        /// One line each.
        problems: Vec<String>,
    },
}

impl BundleError {
    /// What is wrong, one line each.
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Documents { problems } => problems.clone(),
            other => {
                let chain = std::iter::successors(Some(other as &dyn std::error::Error), |error| error.source());
                vec![chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")]
            }
        }
    }
}

impl Bundle {
    /// A bundle of these documents.
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Self { version: VERSION, files }
    }

    /// The blob of a bundle with this digest.
    pub fn blob_name(digest: &str) -> String {
        format!("bundles/{digest}.json")
    }

    /// The bundle as it is stored, and the digest that names it.
    pub fn to_bytes(&self) -> (Vec<u8>, String) {
        // A struct of texts: writing it as JSON cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let digest = hex(&Sha256::digest(&bytes));
        (bytes, digest)
    }

    /// The documents of a stored bundle, if its bytes are those that the digest names.
    pub fn documents_of(digest: &str, bytes: &[u8]) -> Result<Documents, BundleError> {
        if hex(&Sha256::digest(bytes)) != digest {
            return Err(BundleError::Altered);
        }
        read_up_to::<Self>(VERSION, &Self::blob_name(digest), bytes)?.documents()
    }

    /// All its documents, at least one policy among them, or every problem of every document.
    pub fn documents(&self) -> Result<Documents, BundleError> {
        let bytes = self.files.iter().map(|file| file.text.len()).sum();
        if self.files.is_empty() {
            return Err(BundleError::Empty);
        }
        if self.files.len() > FILES_MAX || bytes > TEXT_BYTES_MAX {
            return Err(BundleError::TooLarge { files: self.files.len(), bytes });
        }
        let documents = read_set(&self.files).map_err(|problems| BundleError::Documents { problems })?;
        if documents.policies.is_empty() { Err(BundleError::NoPolicy) } else { Ok(documents) }
    }
}

/// Reads a set of documents: the one place that knows how.
fn read_set(files: &[File]) -> Result<Documents, Vec<String>> {
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    read_documents(&files).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, policy: &str) -> File {
        let text = format!(
            "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {policy} }}\nspec:\n  match: {{ name: \"*\" }}\n  \
             points:\n    - {{ name: first, kind: restorePoint, onCreate: {{ within: 1h }} }}\n"
        );
        File { name: name.into(), text }
    }

    #[test]
    fn version_1_reads_as_it_was_written_and_its_name_is_its_content() {
        let golden = include_bytes!("../golden/bundle-v1.json");
        let bundle: Bundle = read_up_to(VERSION, "golden", golden).expect("reads");
        let (bytes, digest) = bundle.to_bytes();
        assert_eq!(bytes, golden.trim_ascii_end(), "what is written is what was written");
        assert_eq!(digest, "bc371734f1c32d3609020783584e9ebbec7a8ea6f06304ca22d12c87c22d6877");
        assert_eq!(Bundle::documents_of(&digest, &bytes).expect("documents").policies.len(), 1);
        let error = Bundle::documents_of(&digest, golden).expect_err("a newline more");
        assert!(matches!(error, BundleError::Altered), "{error}");
    }

    #[test]
    fn a_bundle_has_all_its_documents_or_none() {
        let two = Bundle::new(vec![file("b.yaml", "b"), file("a.yaml", "a")]);
        let names: Vec<_> =
            two.documents().expect("documents").policies.into_iter().map(|policy| policy.name).collect();
        assert_eq!(names, ["a", "b"], "whatever the order of the files");
        let problems = |files| Bundle::new(files).documents().expect_err("problems").problems();
        assert_eq!(problems(vec![]), ["it has no document"]);
        let twice = problems(vec![file("a.yaml", "a"), file("b.yaml", "a")]);
        assert!(twice.len() == 1 && twice[0].contains("the name `a` is taken, first in a.yaml:3"), "{twice:?}");
        let broken = File { name: "c.yaml".into(), text: "kind: [".into() };
        assert!(!problems(vec![file("a.yaml", "a"), broken]).is_empty());
        let large = File { name: "d.yaml".into(), text: "#".repeat(TEXT_BYTES_MAX + 1) };
        assert!(problems(vec![large])[0].contains("bytes"));
    }

    #[test]
    fn recovery_plans_are_read_with_the_policies_beside_them_and_are_none() {
        let plan = |name: &str| {
            let text = include_str!("../../contract/examples/recovery-plan.yaml");
            File { name: format!("{name}.yaml"), text: text.replace("name: shop }", &format!("name: {name} }}")) }
        };
        let documents =
            Bundle::new(vec![file("p.yaml", "shop"), plan("shop"), plan("other")]).documents().expect("documents");
        let names: Vec<_> = documents.recovery_plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!((documents.policies.len(), names), (1, vec!["other", "shop"]));
        let problems = |files| Bundle::new(files).documents().expect_err("problems").problems();
        assert!(problems(vec![plan("shop")])[0].contains("no backup policy"));
        let mut twice = plan("shop");
        twice.name = "z.yaml".into();
        let twice = problems(vec![file("p.yaml", "p"), plan("shop"), twice]);
        assert!(twice.len() == 1 && twice[0].contains("the name `shop` is taken, first in shop.yaml:"), "{twice:?}");
        let broken = File { name: "r.yaml".into(), text: plan("shop").text.replace("siteRecovery", "snapshots") };
        let broken = problems(vec![file("p.yaml", "p"), broken]);
        assert!(broken.len() == 1 && broken[0].contains("`snapshots` is not built yet"), "{broken:?}");
    }
}
