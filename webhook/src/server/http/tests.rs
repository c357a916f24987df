use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::Request as HttpRequest;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

/// An API server in whose namespaces there are no LimitRanges and no quotas.
fn client() -> Client {
    let answer = |_: HttpRequest<kube::client::Body>| async {
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []});
        Ok::<_, Infallible>(http::Response::new(Body::from(list.to_string())))
    };
    Client::new(tower::service_fn(answer), "default")
}

/// An API server that has stopped to answer.
fn stalled_client() -> Client {
    let answer = |_: HttpRequest<kube::client::Body>| {
        std::future::pending::<Result<http::Response<Body>, Infallible>>()
    };
    Client::new(tower::service_fn(answer), "default")
}

async fn post_to(path: &str, content_type: &str, body: impl Into<Body>) -> (StatusCode, String) {
    post_with(client(), path, content_type, body).await
}

async fn post_with(
    client: Client,
    path: &str,
    content_type: &str,
    body: impl Into<Body>,
) -> (StatusCode, String) {
    let app = App::new(client, InForce::always(Mode::Enforce), Vec::new(), Arc::default(), Arc::default());
    let request = HttpRequest::post(path).header("content-type", content_type).body(body.into()).unwrap();
    let response = router(app).oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn review(resource: &str, kind: &str, object: Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "7", "kind": {"group": "", "version": "v1", "kind": kind},
            "resource": {"group": "", "version": "v1", "resource": resource},
            "operation": "CREATE", "namespace": "team", "object": object, "oldObject": null,
        },
    })
    .to_string()
}

#[track_caller]
fn check_allowed((status, body): (StatusCode, String)) {
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["response"], json!({"uid": "7", "allowed": true}));
}

#[tokio::test]
async fn admits_where_nothing_limits() {
    let pod = json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"containers": [{"name": "a"}]}});
    for path in ["/mutate", "/validate", "/lint"] {
        check_allowed(post_to(path, "application/json", review("pods", "Pod", pod.clone())).await);
    }
}

/// An API server in whose namespaces there is no quota at first, and a full one when they are listed again.
fn client_of_a_late_quota() -> Client {
    let lists = Arc::new(AtomicUsize::new(0));
    let answer = move |request: HttpRequest<kube::client::Body>| {
        let is_of_quotas = request.uri().path().ends_with("/resourcequotas");
        let late = is_of_quotas && lists.fetch_add(1, Ordering::Relaxed) > 0;
        let full = json!({
            "metadata": {"name": "late", "namespace": "team", "uid": "q", "resourceVersion": "2"},
            "spec": {"hard": {"pods": "1"}},
            "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}},
        });
        let items = if late { json!([full]) } else { json!([]) };
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "2"}, "items": items});
        std::future::ready(Ok::<_, Infallible>(http::Response::new(Body::from(list.to_string()))))
    };
    Client::new(tower::service_fn(answer), "default")
}

#[tokio::test]
async fn a_list_of_quotas_is_not_believed_while_no_watch_tells_of_new_ones() {
    let client = client_of_a_late_quota();
    let app = App::new(client, InForce::always(Mode::Enforce), Vec::new(), Arc::default(), Arc::default());
    let ask = async || {
        let pod = json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"containers": [{"name": "a"}]}});
        let request = HttpRequest::post("/validate").header("content-type", "application/json");
        let request = request.body(Body::from(review("pods", "Pod", pod))).unwrap();
        let response = router(app.clone()).oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()["response"].clone()
    };
    assert_eq!(ask().await["allowed"], true);
    let refused = ask().await;
    assert_eq!(
        refused["status"]["message"],
        "pods \"web\" is forbidden: exceeded quota: late, requested: pods=1, used: pods=1, limited: pods=1"
    );
}

#[tokio::test]
async fn admits_kinds_that_it_does_not_know() {
    let object = json!({"metadata": {"name": "web", "uid": "1"}, "anything": [1, {"x": null}]});
    check_allowed(
        post_to("/validate", "application/json; charset=utf-8", review("widgets", "Widget", object)).await,
    );
}

#[tokio::test]
async fn says_what_is_wrong_with_a_call() {
    let (status, body) = post_to("/validate", "text/plain", "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(body, "Content-Type: expected application/json, got \"text/plain\"");
    let (status, body) = post_to("/validate", "application/json", "{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.starts_with("body: EOF while parsing"), "{body}");
    let (status, body) = post_to("/mutate", "application/json", r#"{"apiVersion":"v1","kind":"Pod"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body, r#"expected AdmissionReview of admission.k8s.io/v1, got "Pod" of "v1""#);
    let pod = json!({"metadata": {"name": "web"}, "spec": {"containers": "none"}});
    let (status, body) = post_to("/validate", "application/json", review("pods", "Pod", pod)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.starts_with("request.object: invalid type: string \"none\""), "{body}");
    let (status, _) = post_to("/validate", "application/json", vec![b' '; MAX_BODY_BYTES + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = post_to("/elsewhere", "application/json", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// A connection closed on what was not read is reset, and the answer lost with it.
#[tokio::test]
async fn reads_all_that_is_sent_before_it_answers() {
    for (path, pieces, expected) in
        [("/validate", 9, StatusCode::PAYLOAD_TOO_LARGE), ("/elsewhere", 1, StatusCode::NOT_FOUND)]
    {
        static READ: AtomicUsize = AtomicUsize::new(0);
        READ.store(0, Ordering::Relaxed);
        let sent = futures::stream::iter(0..pieces).map(|_| {
            READ.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(vec![b' '; MAX_BODY_BYTES / 8])
        });
        let (status, _) = post_to(path, "application/json", Body::from_stream(sent)).await;
        assert_eq!(status, expected);
        assert_eq!(READ.load(Ordering::Relaxed), pieces);
    }
}

#[tokio::test]
async fn warns_of_a_limit_range_that_is_a_trap() {
    let limit_range = json!({
        "metadata": {"name": "limits"},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}]},
    });
    let (status, body) =
        post_to("/lint", "application/json", review("limitranges", "LimitRange", limit_range)).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["response"]["warnings"],
        json!([
            "a Container with a cpu request above 1 and no limit is invalid: its limit comes from default in LimitRange limits (1)"
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn answers_in_time_when_the_api_server_does_not() {
    let secret = json!({"metadata": {"name": "web", "uid": "1"}});
    let started = Instant::now();
    let review = review("secrets", "Secret", secret);
    let (status, body) = post_with(stalled_client(), "/validate", "application/json", review).await;
    assert_eq!(status, StatusCode::OK);
    assert!(started.elapsed().as_secs() < 10, "the API server gives up after 10 seconds");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["response"]["status"],
        json!({
            "status": "Failure", "code": 429, "reason": "TooManyRequests", "details": {"retryAfterSeconds": 1},
            "message": "quota can't be decided now: the quotas of the namespace can't be read",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn gives_up_on_a_review_that_does_not_arrive() {
    let begun = Bytes::from_static(b"{\"apiVersion\":");
    let rest = futures::stream::pending();
    let body = futures::stream::once(async { Ok::<_, Infallible>(begun) }).chain(rest);
    let started = Instant::now();
    let (status, body) = post_to("/validate", "application/json", Body::from_stream(body)).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(body, "the review did not arrive within 30 s");
    assert_eq!(started.elapsed(), LONGEST_CALL);
}
