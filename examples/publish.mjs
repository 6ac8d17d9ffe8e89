/**
 * Connect an account, publish each kind of post, wait for what becomes of it, and read the figures.
 *
 * Needs Node 18 or later and no package; in the environment PUBLISHER_URL and PUBLISHER_KEY, the address of a video as
 * VIDEO_URL and those of photos, separated by spaces, as PHOTO_URLS.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { PUBLISHER_URL: url, PUBLISHER_KEY: key, VIDEO_URL, PHOTO_URLS } = process.env;
const video = [VIDEO_URL];
const photos = PHOTO_URLS.split(" ");
const open = { privacyLevel: "PUBLIC_TO_EVERYONE", allowComment: true };
const over = ["PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "CANCELLED", "REVIEW"];

const posts = {
  "Photo carousel": ["A morning in pictures #photography", photos, null],
  "Photo draft": ["A caption to edit in the app", photos.slice(0, 1), { draft: true }],
  "Public video": ["Have a look #tiktok", video, { ...open, allowDuet: true, allowStitch: true }],
  "Video for friends": ["For friends", video, { privacyLevel: "MUTUAL_FOLLOW_FRIENDS", allowComment: true }],
  "Branded content": ["Made with a partner #ad", video, { ...open, brandContentToggle: true }],
  "Your brand": ["Our new course", video, { ...open, brandOrganicToggle: true }],
};

/** What the service refused, in its own words, with the id to ask about it. */
class ApiError extends Error {
  constructor(status, told) {
    super(`${told.error} ${told.message} (request ${told.requestId})`);
    this.status = status;
    this.told = told;
  }
}

process.on("uncaughtException", (error) => {
  console.error(error instanceof ApiError ? `The service refused: ${error.message}` : error);
  process.exit(1);
});

/** Call the API and return its answer; what is safe to repeat is repeated when the service asks for it. */
async function call(method, path, { body, headers = {} } = {}) {
  const safe = method === "GET" || "Idempotency-Key" in headers;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url + path, {
      method,
      headers: { "boring-api-key": key, "Content-Type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    if (!safe || ![409, 503].includes(response.status) || attempt === 5) throw new ApiError(response.status, answer);
    await sleep(1000 * Number(response.headers.get("Retry-After") ?? attempt));
  }
}

/** Return an account that can post; the person who owns it opens the link once. */
async function connect() {
  const link = await call("GET", "/oauth/tiktok/start", { headers: { Accept: "application/json" } });
  console.log("Open this link to connect an account:", link.connectUrl);
  for (;;) {
    const { accounts } = await call("GET", "/api/accounts");
    const account = accounts.find((one) => one.is_valid);
    if (account) return account;
    await sleep(1000);
  }
}

/** Publish, and return the post when nothing more happens to it. The key makes a repeated call safe. */
async function publish(accountId, text, mediaUrls, tiktokOptions) {
  const post = { accountId, content: { text, mediaUrls, platform: "tiktok" }, ...(tiktokOptions && { tiktokOptions }) };
  const headers = { "Idempotency-Key": randomUUID(), Prefer: "respond-async" };
  let answer = await call("POST", "/v2/posts", { body: { post }, headers });
  while (!over.includes(answer.status)) {
    await sleep(1000);
    answer = await call("GET", answer.statusUrl);
  }
  return answer;
}

const account = await connect();
console.log("Connected:", account.tiktok_display_name);
for (const [name, [text, mediaUrls, options]] of Object.entries(posts)) {
  const post = await publish(account.account_id, text, mediaUrls, options);
  console.log(`${name}: ${post.status} ${post.publicUrl ?? ""}`.trimEnd());
  if (!post.success) {
    console.log("  ", post.error, post.message);
    process.exitCode = 1;
  }
}
try {
  await publish(account.account_id, "Private, and a paid partnership", video, {
    privacyLevel: "SELF_ONLY",
    brandContentToggle: true,
  });
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  console.log("As expected, refused:", error.message);
}
const figures = await call("GET", `/api/performance/metrics?account_id=${account.account_id}&platform=tiktok`);
console.log("Followers:", figures.metrics.follower_count, "Videos:", figures.videos.length);
