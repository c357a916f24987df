//! What a plugin answers: a code and the reasons for it, as data.

use std::borrow::Cow;

/// What follows from an answer.
///
/// # Source
/// kube-scheduler `framework/interface.go` (`Code`)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Code {
    /// The pod may go on.
    #[default]
    Success,
    /// The plugin couldn't decide.
    Error,
    /// The pod can't go on now; removing other pods may help.
    Unschedulable,
    /// The pod can't go on now; removing other pods doesn't help.
    UnschedulableAndUnresolvable,
    /// The pod has to wait.
    Wait,
    /// The plugin has nothing to do with the pod.
    Skip,
}

impl Code {
    /// The name, as metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Error => "Error",
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Self::Wait => "Wait",
            Self::Skip => "Skip",
        }
    }
}

/// An answer: the code, which plugin gave it, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What follows.
    pub code: Code,
    /// The plugin that answered; empty if the framework did.
    pub plugin: &'static str,
    /// Why; empty for success.
    pub reasons: Vec<Reason>,
}

/// One reason of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Upstream's words.
    pub text: Cow<'static, str>,
    /// The amount that was wanted and what there is, if it is about an amount.
    pub amount: Option<Amount>,
}

/// An amount that doesn't fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The resource. The amounts are in its unit: millicores for `cpu`, else what the resource counts.
    pub resource: Cow<'static, str>,
    /// What the pod wants.
    pub requested: i64,
    /// What pods on the node have already.
    pub used: i64,
    /// What the node has for pods.
    pub capacity: i64,
}

impl Status {
    /// The answer that lets a pod go on.
    pub const SUCCESS: Self = Self { code: Code::Success, plugin: "", reasons: Vec::new() };

    /// An answer with one reason.
    pub fn new(code: Code, plugin: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, plugin, reasons: vec![Reason { text: text.into(), amount: None }] }
    }

    /// Whether the pod may go on.
    pub fn is_success(&self) -> bool {
        self.code == Code::Success
    }

    /// Whether the pod was turned away, rather than let go on or left undecided.
    pub fn is_rejected(&self) -> bool {
        matches!(self.code, Code::Unschedulable | Code::UnschedulableAndUnresolvable | Code::Wait)
    }

    /// All reasons as one text.
    pub fn message(&self) -> String {
        let texts: Vec<&str> = self.reasons.iter().map(|reason| reason.text.as_ref()).collect();
        texts.join(", ")
    }
}
