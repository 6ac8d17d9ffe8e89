#!/usr/bin/env bash
# Connect an account, publish each kind of post, wait for what becomes of it, and read the figures.
#
# Needs curl alone; in the environment PUBLISHER_URL and PUBLISHER_KEY, the address of a video as VIDEO_URL and those of
# photos, separated by spaces, as PHOTO_URLS.
set -euo pipefail

failed=0

# call METHOD PATH [ARGUMENTS OF CURL…]: print the answer's body; say why, and fail, when the service refuses.
call() {
    local method=$1 path=$2 answer code=0
    shift 2
    answer=$(curl --silent --show-error --fail-with-body --max-time 40 --request "$method" "$PUBLISHER_URL$path" \
        --header "boring-api-key: $PUBLISHER_KEY" --header "Content-Type: application/json" "$@") || code=$?
    if [[ $code != 0 && -n $answer ]]; then
        echo "The service refused: $(field error <<<"$answer") $(field message <<<"$answer")" >&2
    fi
    echo "$answer"
    return "$code"
}

# field NAME: print the first text of that name in the JSON on stdin; nothing when there is none.
field() {
    grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4 || true
}

# publish NAME TEXT MEDIA_URLS OPTIONS: MEDIA_URLS and OPTIONS are JSON. The key makes a repeated call safe.
publish() {
    local post status
    post=$(call POST /v2/posts --header "Prefer: respond-async" --header "Idempotency-Key: example-$RANDOM$RANDOM$RANDOM" \
        --retry 5 --data "{\"post\": {\"accountId\": \"$account\", \"content\": {\"text\": \"$2\", \"mediaUrls\": $3, \"platform\": \"tiktok\"}$4}}")
    status=$(field status <<<"$post")
    while [[ ! $status =~ ^(PUBLISH_COMPLETE|SEND_TO_USER_INBOX|FAILED|CANCELLED|REVIEW)$ ]]; do
        sleep 1
        post=$(call GET "$(field statusUrl <<<"$post")" --retry 5)
        status=$(field status <<<"$post")
    done
    echo "$1: $status $(field publicUrl <<<"$post")"
    if [[ $status == FAILED || $status == REVIEW ]]; then
        echo "   $(field error <<<"$post") $(field message <<<"$post")"
        failed=1
    fi
}

# connect: set `account` to an account that can post; the person who owns it opens the link once.
connect() {
    local link
    link=$(call GET /oauth/tiktok/start --header "Accept: application/json" | field connectUrl)
    echo "Open this link to connect an account: $link"
    account=
    until [[ -n $account ]]; do
        sleep 1
        account=$(call GET /api/accounts | grep -o '"account_id":"[^"]*","social_channel_type":"tiktok","is_valid":true' |
            head -n 1 | cut -d '"' -f 4 || true)
    done
    echo "Connected: $account"
}

video="[\"$VIDEO_URL\"]"
photos="[\"${PHOTO_URLS// /\", \"}\"]"
photo="[\"${PHOTO_URLS%% *}\"]"
public='"privacyLevel": "PUBLIC_TO_EVERYONE", "allowComment": true'

connect
publish "Photo carousel" "A morning in pictures #photography" "$photos" ""
publish "Photo draft" "A caption to edit in the app" "$photo" ', "tiktokOptions": {"draft": true}'
publish "Public video" "Have a look #tiktok" "$video" ", \"tiktokOptions\": {$public, \"allowDuet\": true, \"allowStitch\": true}"
publish "Video for friends" "For friends" "$video" \
    ', "tiktokOptions": {"privacyLevel": "MUTUAL_FOLLOW_FRIENDS", "allowComment": true}'
publish "Branded content" "Made with a partner #ad" "$video" ", \"tiktokOptions\": {$public, \"brandContentToggle\": true}"
publish "Your brand" "Our new course" "$video" ", \"tiktokOptions\": {$public, \"brandOrganicToggle\": true}"

# An error answers with its status, and says what happened, what to do, and the id to ask about.
if refused=$(call POST /v2/posts --data "{\"post\": {\"accountId\": \"$account\", \"content\": {\"mediaUrls\": $video, \
    \"platform\": \"tiktok\"}, \"tiktokOptions\": {\"privacyLevel\": \"SELF_ONLY\", \"brandContentToggle\": true}}}" 2>/dev/null); then
    echo "This should have been refused: $refused"
    failed=1
else
    echo "As expected, refused: $(field error <<<"$refused") $(field message <<<"$refused") (request $(field requestId <<<"$refused"))"
fi

figures=$(call GET "/api/performance/metrics?account_id=$account&platform=tiktok")
echo "Followers: $(grep -o '"follower_count":[0-9]*' <<<"$figures" | cut -d : -f 2)"
exit "$failed"
