//! The codes of all problems: one place for each one's name, status and words.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $code:literal $status:literal $title:literal $advice:literal;)*) => {
        /// What went wrong, as clients tell it: stable names, one status each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is described by its title and advice below")]
        pub enum Code { $($name),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code),* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status),* }
            }

            /// A few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title),* }
            }

            /// A sentence that tells what to do.
            pub fn advice(self) -> &'static str {
                match self { $(Code::$name => $advice),* }
            }
        }
    };
}

codes! {
    InvalidRequest "invalid_request" 400 "The request cannot be understood" "Send a well-formed HTTP request.";
    InvalidJson "invalid_json" 400 "The body is not JSON" "Send a JSON object in UTF-8, nested no deeper than 32 levels.";
    InvalidEtag "invalid_etag" 400 "The entity tag is malformed" "Send tags as an answer's ETag had them, with their quotes, or *.";
    InvalidKey "invalid_idempotency_key" 400 "The idempotency key is malformed" "Send one key of 1 to 128 visible ASCII characters.";
    DuplicateCookie "duplicate_cookie" 400 "The session cookie came more than once" "Send one __Host-trolley cookie.";
    TwoCredentials "two_credentials" 400 "Two credentials" "Send either the cookie or one Authorization header.";
    NotSignedIn "not_signed_in" 401 "Nobody is signed in" "Sign in first.";
    InvalidCredentials "invalid_credentials" 401 "Address or password is wrong" "Check both and try again, or ask for a new password.";
    SessionEnded "session_ended" 401 "The session is over" "Begin a new session.";
    UnknownScheme "unsupported_authorization" 401 "Not what this call takes" "Send Authorization: Bearer with the session's token.";
    NoApiKey "api_key_missing" 401 "An API key is needed" "Send Authorization: Bearer with a key of `trolley api-key new`.";
    UnknownApiKey "api_key_unknown" 401 "Not a key" "Send a key that was made here and not revoked: they begin with trk_.";
    MissingScope "missing_scope" 403 "The key may not do this" "Make a key with the scope that the detail names.";
    CrossSite "cross_site" 403 "The request comes from another site" "Send it from the shop's own pages, or have the origin trusted by --trusted-origin.";
    LoopbackOnly "loopback_only" 403 "Only from this machine" "Ask from a loopback address, without a proxy in between.";
    NotFound "not_found" 404 "There is nothing here" "Check the path.";
    LineNotFound "line_not_found" 404 "The line is not in the cart" "Add the item first, or read the cart again.";
    OrderNotFound "order_not_found" 404 "There is no such order of yours" "Read the list of your orders.";
    AccountNotFound "account_not_found" 404 "There is no such account" "Check the id.";
    SessionNotFound "session_not_found" 404 "There is no such session" "Read the list of sessions again.";
    MethodNotAllowed "method_not_allowed" 405 "The path does not know this method" "Use one of the methods that the Allow header names.";
    BodyTimeout "body_timeout" 408 "The body did not arrive in time" "Send the request again, faster.";
    EmailTaken "email_taken" 409 "The address is in use" "Sign in, or ask for a new password.";
    NoPassword "account_without_password" 409 "The account has no password" "The shop signs its owner in: use its own login.";
    PreconditionFailed "precondition_failed" 412 "It is not what was seen any more" "Look at the cart in this answer and ask again.";
    BodyTooLarge "body_too_large" 413 "The body is too large" "Send at most 65,536 bytes.";
    UriTooLong "uri_too_long" 414 "The address is too long" "Send a shorter path.";
    UnsupportedMediaType "unsupported_media_type" 415 "The body is of the wrong type" "Send Content-Type: application/json.";
    InvalidQuery "invalid_query" 422 "The query is not valid" "Send its parameters in UTF-8, percent-encoded.";
    InvalidBody "invalid_body" 422 "The body is not valid" "Correct what the errors name.";
    WeakPassword "weak_password" 422 "The password is too weak" "Choose one of at least 12 characters that is not among the common ones.";
    InvalidResetToken "invalid_reset_token" 422 "The token sets no password" "It was used, is too old, or was never issued: ask for a new one.";
    KeyReused "idempotency_key_reused" 422 "The idempotency key was used for another request" "Use a fresh key for each new request.";
    QuantityOverLimit "quantity_over_limit" 422 "Too many units" "Ask for fewer.";
    InvalidQuantity "invalid_quantity" 422 "Not a quantity" "Send a whole number of at least 1.";
    TooManyLines "too_many_lines" 422 "Too many lines" "Remove a line first.";
    TooManySaved "too_many_saved_lines" 422 "Too many saved lines" "Remove a saved line first.";
    CartTooLarge "cart_too_large" 422 "The cart holds too much text" "Remove a line first, or use shorter options.";
    DataTooLarge "data_too_large" 422 "The session's data is too large" "Keep at most 16,384 bytes of JSON with a session.";
    UnknownSku "unknown_sku" 422 "No such product" "Choose one that the shop has.";
    TotalTooLarge "total_too_large" 422 "The cart costs too much" "Ask for fewer: the total would be larger than an amount can be.";
    CartEmpty "cart_empty" 409 "There is nothing in the cart" "Add something first.";
    CartChanged "cart_changed" 409 "The cart is not what the shopper saw" "Show the cart in this answer, and ask again with its revision.";
    PriceUnknown "price_unknown" 409 "Nobody can tell what it costs" "Show the cart in this answer, whose notices name the lines; ask again later under the same key, or take them out.";
    PriceChanged "price_changed" 409 "It costs something else than the shopper saw" "Show the cart in this answer, and ask again with its subtotal.";
    ShortStock "short_stock" 409 "There are fewer than the shopper wants" "Lower the quantities, or ask again with accept_available.";
    NotUndoable "not_undoable" 409 "It cannot be taken back" "Read the history for what can be.";
    InvalidOp "invalid_op" 422 "The change is not valid" "Correct what the detail names.";
    TooManyLeftovers "too_many_leftovers" 409 "There is no room for what would be left over" "Take lines out of the cart or off the saved list, and try again: nothing was changed, and nothing is lost.";
    LeftoverNotFound "leftover_not_found" 404 "There is no such leftover" "Read the cart again.";
    CartSealed "cart_sealed" 409 "The cart was merged into another" "Read the cart again.";
    SequenceGap "sequence_gap" 409 "Ops are missing" "Send the queue from expected_seq on.";
    ClientForked "client_forked" 409 "Two queues share one client id" "Take a new client id; what came before seq was taken in, send the rest again under it from seq 1.";
    ForeignCart "foreign_cart" 409 "An op names another cart" "Read the cart, and offer the change to the shopper again.";
    ClientExpired "client_expired" 410 "This queue is too old" "Take a new client id, read the cart, and offer what is pending to the shopper as a restore.";
    TooManyClients "too_many_clients" 429 "Too many devices" "Change the cart by plain calls.";
    TooManyStreams "too_many_streams" 429 "Too many event streams" "Close one, or read the cart now and then.";
    BaseDecreased "base_decreased" 422 "A base below an earlier one" "Send each op with the newest revision that the device had seen.";
    TooManyOps "too_many_ops" 422 "Too many ops in one call" "Send the queue in parts.";
    HeadersTooLarge "headers_too_large" 431 "The headers are too large" "Send at most 100 headers of 32,768 bytes together.";
    RateLimited "rate_limited" 429 "Too often" "Wait for as long as Retry-After says, and send the request again.";
    TooManyAtOnce "too_many_at_once" 429 "Too many requests at once from one address" "Wait for what is under way, and send the request again.";
    Internal "internal" 500 "Something is broken here" "Try again later; the request's id is in Request-Id.";
    Busy "busy" 503 "Too many changes at once" "Send the request again after a moment, under the same key.";
    Overloaded "overloaded" 503 "Too many requests at once" "Send the request again after a moment.";
    StoreFull "store_full" 503 "There is no space left" "Reading goes on; send the change again later.";
    StoreDown "store_down" 503 "The store does not answer" "Send the request again later, under the same key: whether it was done is not known.";
    Timeout "timeout" 503 "It took too long" "Send the request again under the same key: it may have been done.";
}

impl Code {
    /// The HTTP status, as an answer has it.
    pub fn status_code(self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}
