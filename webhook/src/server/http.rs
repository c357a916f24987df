//! The reviews as HTTP requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::LimitRange;
use kube::Client;
use plimsoll_api::status::Status;
use plimsoll_quota::LimitedResource;
use plimsoll_runtime::mode::{InForce, Mode};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::commit::{Committer, Verdict};
use super::lookup::LimitRangeLookup;
use super::metrics::{DecisionLabels, Metrics, QuotaLabels, UnenforcedLabels};
use super::watch::{Caches, parse_limits};
use crate::admission::Request;
use crate::limit_range::lint::lint;
use crate::limit_range::{Handling, LimitRanges, object};
use crate::review::{Answer, Question};

/// The largest review that is read; the API server itself takes no object beyond 3 MiB.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// How much of a larger one is read all the same, so that its sender reads the answer.
const MAX_DISCARDED_BYTES: usize = 8 * MAX_BODY_BYTES;
/// How many answers a connection carries on average.
const ANSWERS_A_CONNECTION: u32 = 256;
/// For how long an API server waits for an answer at most, whatever its configuration says.
const LONGEST_CALL: Duration = Duration::from_secs(30);

/// What answers reviews.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    caches: Arc<Caches>,
    mode: InForce,
    limit_ranges: LimitRangeLookup,
    quotas: Committer,
    metrics: Arc<Metrics>,
}

impl App {
    /// Answers from these caches, and through this client where they don't suffice. `limited` may only be used where a quota covers
    /// it.
    pub fn new(
        client: Client,
        mode: InForce,
        limited: Vec<LimitedResource>,
        caches: Arc<Caches>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let quotas = Committer::new(client.clone(), limited, Arc::clone(&caches), Arc::clone(&metrics));
        let limit_ranges = LimitRangeLookup::new(client, Arc::clone(&caches));
        Self(Arc::new(Inner { caches, mode, limit_ranges, quotas, metrics }))
    }

    /// Gives back what is held of quotas in advance, once there are no more reviews.
    pub async fn finish(&self) {
        self.0.quotas.finish().await;
    }
}

/// The routes: `/mutate`, `/validate` and `/lint`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/mutate", post(async |app, headers, body| review(Phase::Mutate, app, headers, body).await))
        .route(
            "/validate",
            post(async |app, headers, body| review(Phase::Validate, app, headers, body).await),
        )
        .route("/lint", post(async |app, headers, body| review(Phase::Lint, app, headers, body).await))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(in_full))
        .layer(middleware::map_response(now_and_then_the_last))
        .layer(middleware::from_fn(in_time))
        .with_state(app)
}

/// Reads what is sent before anything is answered: a connection that is closed on bytes not yet read is reset, and its sender never
/// sees the answer. What is too much is read and forgotten, up to a bound.
async fn in_full(request: HttpRequest, next: middleware::Next) -> Response {
    let (parts, body) = request.into_parts();
    let (mut body, mut kept, mut length) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(data) = body.next().await {
        let Ok(data) = data else {
            return bad_request("body: it does not arrive as a whole").into_response();
        };
        length += data.len();
        if length > MAX_DISCARDED_BYTES {
            break;
        }
        if length <= MAX_BODY_BYTES {
            kept.extend_from_slice(&data);
        }
    }
    if length > MAX_BODY_BYTES {
        let problem = format!("body: a review has at most {MAX_BODY_BYTES} bytes");
        return Unanswered(StatusCode::PAYLOAD_TOO_LARGE, problem).into_response();
    }
    next.run(HttpRequest::from_parts(parts, Body::from(kept))).await
}

/// Ends one connection in so many answers: the API server keeps connections for as long as there is something to ask, and a replica that
/// came later would get no part of the work.
async fn now_and_then_the_last(mut answer: Response) -> Response {
    if rand::random_ratio(1, ANSWERS_A_CONNECTION) {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// Gives up on a review that does not arrive as a whole; its sender may be gone without a word.
async fn in_time(request: HttpRequest, next: middleware::Next) -> Response {
    tokio::time::timeout(LONGEST_CALL, next.run(request)).await.unwrap_or_else(|_| {
        let problem = format!("the review did not arrive within {} s", LONGEST_CALL.as_secs());
        Unanswered(StatusCode::REQUEST_TIMEOUT, problem).into_response()
    })
}

/// A review that can't be answered: an HTTP status and why.
struct Unanswered(StatusCode, String);

impl IntoResponse for Unanswered {
    fn into_response(self) -> Response {
        tracing::warn!(status = self.0.as_u16(), problem = self.1, "a review can't be answered");
        (self.0, self.1).into_response()
    }
}

fn question(headers: &HeaderMap, body: &[u8]) -> Result<Question, Unanswered> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        let problem = format!("Content-Type: expected application/json, got {content_type:?}");
        return Err(Unanswered(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
    }
    serde_json::from_slice(body).map_err(|error| bad_request(&format!("body: {error}")))
}

fn bad_request(problem: &str) -> Unanswered {
    Unanswered(StatusCode::BAD_REQUEST, problem.to_owned())
}

fn json(answer: &Answer) -> Response {
    match serde_json::to_vec(answer) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => Unanswered(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// What a review is asked for.
#[derive(Clone, Copy)]
enum Phase {
    Mutate,
    Validate,
    Lint,
}

async fn review(
    phase: Phase,
    State(App(app)): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Unanswered> {
    let started = Instant::now();
    let question = question(&headers, &body)?;
    let raw = match phase {
        Phase::Mutate | Phase::Validate => None,
        Phase::Lint => question.request.as_ref().and_then(|request| request.object.clone()),
    };
    let request = Request::read(question).map_err(|error| bad_request(&error.to_string()))?;
    let (name, answer) = match phase {
        Phase::Mutate => ("mutate", app.mutate(&request).await?),
        Phase::Validate => ("validate", app.validate(request).await),
        Phase::Lint => ("lint", app.lint(&request, raw.as_deref())),
    };
    app.observe(name, &answer, started);
    Ok(json(&answer))
}

/// The answer where the LimitRanges of a namespace can't be had.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`GetLimitRanges`)
fn unknown_limit_ranges(request: &Request, error: &kube::Error) -> Status {
    Status::forbidden(&request.resource, request.display_name(), &error.to_string())
}

impl Inner {
    async fn mutate(&self, request: &Request) -> Result<Answer, Unanswered> {
        if !request.handling().is_some_and(Handling::defaults) {
            return Ok(Answer::allow(&request.uid));
        }
        let limit_ranges = match self.limit_ranges.of(&request.namespace).await {
            Ok(limit_ranges) => limit_ranges,
            Err(error) => return Ok(Answer::deny(&request.uid, &unknown_limit_ranges(request, &error))),
        };
        let Some(patch) = request.default_patch(&limit_ranges) else {
            return Ok(Answer::allow(&request.uid));
        };
        if self.mode.now() != Mode::Enforce {
            self.note_unenforced(request, "default", "LimitRange", "defaults of a LimitRange are missing");
            return Ok(Answer::allow(&request.uid));
        }
        let patch = serde_json::to_vec(&patch).map_err(|error| bad_request(&error.to_string()))?;
        Ok(Answer::patch(&request.uid, base64::engine::general_purpose::STANDARD.encode(patch)))
    }

    /// Warns of LimitRanges that are legal and still a trap. Never refuses.
    fn lint(&self, request: &Request, raw: Option<&RawValue>) -> Answer {
        let mut warnings = Vec::new();
        if self.mode.now() == Mode::Shadow {
            return Answer::allow(&request.uid);
        }
        if let (Some(raw), "limitranges") = (raw, request.resource.resource.as_str())
            && let Ok(mut limit_range) = serde_json::from_str::<LimitRange>(raw.get())
        {
            // What the cache shows is enough here; to ask would keep the answer from before this LimitRange.
            let others = self.caches.limit_ranges(&request.namespace).unwrap_or_default();
            // An amount that is none has been refused before.
            let _ = object::set_defaults(&mut limit_range);
            let name = limit_range.metadata.name.clone().unwrap_or_default();
            let others = others.iter().filter(|limits| limits.name != name).cloned();
            let all: LimitRanges = others.chain(parse_limits(&limit_range)).collect();
            warnings.extend(lint(&all).iter().map(ToString::to_string));
        }
        Answer::allow(&request.uid).with_warnings(warnings)
    }

    async fn validate(&self, request: Request) -> Answer {
        let uid = request.uid.clone();
        let deny = |status: &Status| {
            tracing::info!(decision = uid, status = status.code, message = status.message, "denied");
            Answer::deny(&uid, status)
        };
        if request.handling().is_some() {
            let verdict = match self.limit_ranges.of(&request.namespace).await {
                Ok(limit_ranges) => request.check_limit_ranges(&limit_ranges),
                Err(error) => Err(unknown_limit_ranges(&request, &error)),
            };
            if let Err(status) = verdict {
                if self.mode.now() != Mode::Enforce {
                    self.note_unenforced(&request, "refuse", "LimitRange", &status.message);
                    return Answer::allow(&uid);
                }
                return deny(&status).with_audit_annotation("decided-by", "LimitRange".to_owned());
            }
        }
        let namespace = request.namespace.clone();
        if namespace.is_empty() || request.object.is_none() {
            return Answer::allow(&uid);
        }
        if self.mode.now() != Mode::Enforce {
            return self.consider_quotas(&request).await;
        }
        match self.quotas.charge(request).await {
            Verdict::Admitted(charged) => {
                let answer = Answer::allow(&uid).with_warnings(charged.warnings);
                if charged.quotas.is_empty() {
                    return answer;
                }
                answer.with_audit_annotation("charged-quotas", charged.quotas.join(","))
            }
            Verdict::Refused { status, quota } => {
                let Some(resourcequota) = quota else { return deny(&status) };
                let decided_by = format!("ResourceQuota/{resourcequota}");
                self.metrics.denials.get_or_create(&QuotaLabels { namespace, resourcequota }).inc();
                deny(&status).with_audit_annotation("decided-by", decided_by)
            }
        }
    }

    /// Decides against quotas that someone else charges.
    async fn consider_quotas(&self, request: &Request) -> Answer {
        let answer = Answer::allow(&request.uid);
        match self.quotas.consider(request).await {
            Verdict::Admitted(charged) if self.mode.now() == Mode::Beside => {
                answer.with_warnings(charged.warnings)
            }
            Verdict::Admitted(_) => answer,
            Verdict::Refused { status, .. } => {
                self.note_unenforced(request, "refuse", "ResourceQuota", &status.message);
                answer
            }
        }
    }

    fn note_unenforced(
        &self,
        request: &Request,
        verdict: &'static str,
        decider: &'static str,
        message: &str,
    ) {
        tracing::info!(decision = request.uid, verdict, decider, message, "not enforced");
        let namespace = request.namespace.clone();
        self.metrics.unenforced.get_or_create(&UnenforcedLabels { verdict, decider, namespace }).inc();
    }

    fn observe(&self, phase: &'static str, answer: &Answer, started: Instant) {
        let outcome = if answer.is_allowed() { "allowed" } else { "denied" };
        let histogram = self.metrics.decision_seconds.get_or_create(&DecisionLabels { phase, outcome });
        histogram.observe(started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests;
