//! S29: how often a password may be guessed, by whom, and that the owner gets in all the same.

use std::net::SocketAddr;

use serde_json::json;
use tokio::task::JoinSet;
use trolley::http::server::state::HttpConfig;
use trolley::service::account::hashing::Cost;
use trolley::service::limits::addresses::GUESSES;
use trolley::service::limits::attempts::{
    AT_ONCE, BY_ACCOUNT, BY_ADDRESS, BY_DEVICE, BY_OWN_DEVICES, SIGN_UPS,
};
use trolley::service::settings::{Bounds, Settings};
use trolley_core::account::audit::EventKind;
use trolley_core::account::password::BYTES_MAX;
use trolley_core::time::Span;

use crate::account::accounts::{EMAIL, PASSWORD};
use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Shop};

async fn try_password(who: &impl Actor, email: &str, password: &str) -> Reply {
    who.json("POST", "/v1/session/sign-in", crate::account::accounts::login(email, password)).await
}

fn cheap() -> Shop {
    Shop::still(HttpConfig::default(), Settings { rate_limits: true, ..crate::account::accounts::cheap() })
}

#[tokio::test]
async fn s29_wrong_passwords_are_counted_by_account_and_right_ones_are_not() {
    let shop = cheap();
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    for _ in 0..2 * BY_ACCOUNT.most {
        try_password(&at(&shop, "192.0.2.1"), EMAIL, PASSWORD).await.expect(200);
    }
    for n in 0..BY_ACCOUNT.most {
        try_password(&at(&shop, &format!("192.0.2.{n}")), EMAIL, "not it")
            .await
            .problem(401, "invalid_credentials");
    }
    // From everywhere, the right password too, and an address that nobody has is told the same.
    let limited =
        try_password(&at(&shop, "198.51.100.7"), EMAIL, PASSWORD).await.problem(429, "rate_limited");
    assert!(limited.header("retry-after").is_some() && limited.header("ratelimit").is_some());
    for n in 0..BY_ACCOUNT.most {
        let nobody = try_password(&at(&shop, &format!("192.0.2.{n}")), "nobody@example.com", "not it").await;
        nobody.problem(401, "invalid_credentials");
    }
    try_password(&at(&shop, "198.51.100.7"), "NOBODY@example.com", "x").await.problem(429, "rate_limited");
    shop.turn(Span::from_s(BY_ACCOUNT.within.as_ms() / 1_000)).await;
    try_password(&at(&shop, "198.51.100.7"), EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn s29_a_stranger_does_not_lock_the_owner_out_of_a_known_device() {
    let shop = cheap();
    let owner = shop.browser();
    let up = owner
        .json("POST", "/v1/accounts", crate::account::accounts::login(EMAIL, PASSWORD))
        .await
        .expect(201);
    let known_by = up.headers.get_all("set-cookie").iter().find_map(|line| {
        line.to_str().unwrap().strip_prefix("__Host-trolley-device=")?.split(';').next().map(str::to_owned)
    });
    let cookie = format!("__Host-trolley-device={}", known_by.unwrap());
    for n in 0..BY_ACCOUNT.most {
        try_password(&at(&shop, &format!("192.0.2.{n}")), EMAIL, "not it").await.expect(401);
    }
    try_password(&at(&shop, "198.51.100.7"), EMAIL, PASSWORD).await.problem(429, "rate_limited");
    let mut device = at(&shop, "198.51.100.7");
    device.headers.insert("cookie", cookie.parse().unwrap());
    try_password(&device, EMAIL, PASSWORD).await.expect(200);
    // The cookie is no licence to guess, and knows no other account.
    for _ in 0..BY_DEVICE.most {
        try_password(&device, EMAIL, "not it").await.expect(401);
    }
    try_password(&device, EMAIL, PASSWORD).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn s29_wrong_passwords_are_counted_by_address_whatever_the_account() {
    let shop = cheap();
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    for n in 0..BY_ADDRESS.most {
        let reply =
            try_password(&at(&shop, "192.0.2.1"), &format!("shopper-{n}@example.com"), "not it").await;
        reply.problem(401, "invalid_credentials");
    }
    try_password(&at(&shop, "192.0.2.1"), EMAIL, PASSWORD).await.problem(429, "rate_limited");
    try_password(&at(&shop, "192.0.2.2"), EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn s29_within_a_session_the_present_password_cannot_be_guessed_without_end() {
    let shop = cheap();
    let thief = crate::account::accounts::signed_up(&shop, EMAIL).await;
    let guess = json!({"current": "not it", "new": "a tin of seventeen sardines"});
    for _ in 0..BY_DEVICE.most {
        thief.json("POST", "/v1/account/password", guess.clone()).await.problem(401, "invalid_credentials");
    }
    thief.json("POST", "/v1/account/password", guess).await.problem(429, "rate_limited");
    thief.json("DELETE", "/v1/account", json!({"password": PASSWORD})).await.problem(429, "rate_limited");
    crate::account::accounts::signed_in(&shop, EMAIL).await;
}

#[tokio::test]
async fn s29_all_devices_that_an_account_knows_try_so_many_wrong_passwords_together_and_one_alone_never_as_many()
 {
    let shop = cheap();
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    let mut devices = Vec::new();
    for _ in 0..8 {
        devices.push(crate::account::accounts::signed_in(&shop, EMAIL).await);
    }
    let guess = json!({"current": "not it", "new": "a tin of seventeen sardines"});
    let (last, others) = devices.split_last().unwrap();
    let mut tried = 0;
    for device in others {
        for _ in 0..BY_DEVICE.most {
            let reply = device.json("POST", "/v1/account/password", guess.clone()).await;
            tried += u32::from(reply.status == 401);
        }
    }
    assert_eq!(tried, BY_OWN_DEVICES.most);
    last.json("POST", "/v1/account/password", guess).await.problem(429, "rate_limited");
    // A device that it does not know yet is not one of them.
    crate::account::accounts::signed_in(&shop, EMAIL).await;
}

#[tokio::test]
async fn s29_which_addresses_are_in_use_is_not_told_to_who_asks_for_thousands() {
    let shop = cheap();
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    let ask = || async {
        at(&shop, "192.0.2.1")
            .json("POST", "/v1/accounts", crate::account::accounts::login(EMAIL, PASSWORD))
            .await
    };
    for _ in 0..SIGN_UPS.most {
        ask().await.problem(409, "email_taken");
    }
    ask().await.problem(429, "rate_limited");
    let reset = || async {
        let body = json!({"token": "A".repeat(43), "new": "a tin of seventeen sardines"});
        at(&shop, "192.0.2.9").json("POST", "/v1/account/reset", body).await
    };
    for _ in 0..GUESSES.most {
        reset().await.problem(422, "invalid_reset_token");
    }
    reset().await.problem(429, "rate_limited");
}

#[tokio::test]
async fn s31_of_wrong_passwords_at_once_each_is_written_down() {
    let shop = crate::account::accounts::shop();
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    let mut attempts = JoinSet::new();
    for _ in 0..32 {
        let stranger = shop.browser();
        // Too long for one: it is not hashed, and all come to the trail together.
        let wrong = crate::account::accounts::login(EMAIL, &"x".repeat(BYTES_MAX + 1));
        attempts.spawn(async move { stranger.json("POST", "/v1/session/sign-in", wrong).await.status });
    }
    assert_eq!(attempts.join_all().await, [401; 32]);
    let report = shop.service.report().await.unwrap();
    let failed = report.happened.iter().find(|(what, _)| *what == EventKind::SignInFailed).unwrap();
    assert_eq!(failed.1, 32);
}

#[tokio::test]
async fn of_passwords_too_many_at_once_some_are_503_and_the_others_are_tried() {
    let bounds = Bounds { hashes_waiting: 1, ..Bounds::default() };
    let shop = Shop::with(HttpConfig::default(), Settings { bounds, ..Settings::default() });
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    let mut attempts = JoinSet::new();
    for _ in 0..32 {
        let browser = shop.browser();
        attempts.spawn(async move { try_password(&browser, EMAIL, PASSWORD).await });
    }
    let (mut right, mut refused) = (0, 0);
    for reply in attempts.join_all().await {
        if reply.status == 200 {
            right += 1;
            continue;
        }
        let reply = reply.problem(503, "overloaded");
        assert_eq!((reply.header("retry-after"), reply.set_cookie()), (Some("1"), None));
        refused += 1;
    }
    assert!(right > 0 && refused > 0, "{right} were right, {refused} refused");
    try_password(&shop.browser(), EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn s37_a_storm_of_passwords_from_one_address_leaves_room_for_others() {
    let bounds = Bounds { hashes_waiting: AT_ONCE + 2, ..Bounds::default() };
    let hashing = Cost { memory_kib: 2_048, passes: 1 };
    let settings = Settings { rate_limits: true, bounds, hashing, ..Settings::default() };
    let shop = Shop::still(HttpConfig::default(), settings);
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    let try_from = |address: &str, email: &str| {
        let (app, peer) = (shop.app.clone(), SocketAddr::new(address.parse().unwrap(), 40_000));
        let login = crate::account::accounts::login(email, PASSWORD).to_string();
        let asked = crate::support::request("POST", "/v1/session/sign-in");
        let asked = asked.header("content-type", "application/json").body(login.into()).unwrap();
        async move { Reply::read(app.answer(asked, peer).await).await }
    };
    let mut storm = JoinSet::new();
    for n in 0..4 * AT_ONCE {
        storm.spawn(try_from("192.0.2.1", &format!("nobody{n}@example.org")));
    }
    let other = tokio::spawn(try_from("192.0.2.2", EMAIL));
    other.await.unwrap().expect(200);
    let (refused, tried): (Vec<_>, Vec<_>) =
        storm.join_all().await.into_iter().partition(|reply| reply.status == 429);
    assert!(tried.len() >= AT_ONCE && !refused.is_empty(), "{} {}", tried.len(), refused.len());
    for reply in refused {
        let reply = reply.problem(429, "too_many_at_once");
        assert_eq!((reply.header("retry-after"), reply.set_cookie()), (Some("1"), None));
    }
    tried.into_iter().for_each(|reply| drop(reply.problem(401, "invalid_credentials")));
}
