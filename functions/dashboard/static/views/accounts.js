/** The connected accounts: connect, copy the id, publish a test, see the figures, disconnect. */

import { call } from "../api.js";
import { ask, avatar, copyButton, empty, fill, h, skeleton, time, toast } from "../dom.js";
import { ACCOUNT_STATES, accountBadge, accounts, connectLink, during, errorPanel, nameOf, plain } from "../parts.js";

export const title = "Accounts";

const REFUSALS = {
  access_denied: "You did not allow it, so nothing has changed.",
  non_sandbox_target: "TikTok takes only the sandbox's target users; add this one in TikTok's portal.",
};
/** What the creator is asked to allow. */
const SCOPES = [
  "video.upload",
  "video.publish",
  "user.info.basic",
  "user.info.profile",
  "user.info.stats",
  "video.list",
];
const START_AGAIN = "Start again with Connect TikTok, and finish within ten minutes in the same browser.";

/** Show all accounts, and what came of connecting one when the browser comes back from TikTok. */
export async function render(root, { query, signal }) {
  const told = h("div", { role: "status" }, outcome(query));
  const list = h("div.stack", skeleton(2));
  root.append(told, list);
  await load(list, told, signal);
}

function outcome(query) {
  if (query.connected) {
    history.replaceState(null, "", "#/accounts");
    const missing = query.missing
      ? ` It did not allow ${query.missing.split(",").join(", ")}; connect it again to allow that.`
      : "";
    return h(`section.panel.${missing ? "warn" : "good"}`, h("p", `The account is connected.${missing}`));
  }
  if (query.refused) {
    history.replaceState(null, "", "#/accounts");
    return errorPanel({
      message: "The account was not connected.",
      remedy: Object.hasOwn(REFUSALS, query.refused) ? REFUSALS[query.refused] : START_AGAIN,
      requestId: query.request,
    });
  }
  return null;
}

async function load(list, told, signal) {
  const found = await accounts(signal);
  if (found.length === 0) {
    fill(
      list,
      empty(
        "No account yet",
        "Connect a TikTok account: you sign in at TikTok, allow what you want, and come back here.",
        connectLink("Connect TikTok"),
      ),
    );
    return;
  }
  const again = () => load(list, told, signal);
  fill(
    list,
    h("div.row.between", h("h2", "Authorized Accounts"), connectLink("Connect TikTok")),
    h(
      "ul.cards",
      found.map((account) => h("li", card(account, told, again))),
    ),
  );
}

function card(account, told, again) {
  const name = nameOf(account);
  const [, , remedy] = ACCOUNT_STATES[account.state] ?? [];
  const connected = account.state !== "disconnected";
  const missing = SCOPES.filter((scope) => !account.scopes.includes(scope));
  const posts = account.scopes.includes("video.publish") || account.scopes.includes("video.upload");
  return h(
    "article.card",
    { "aria-label": name },
    h(
      "div.row",
      avatar(account.tiktok_avatar_url, name),
      h("div", h("h3", name), account.tiktok_username && h("p.soft.small", `@${account.tiktok_username}`)),
    ),
    h("div.row", h("span.badge.brand", "TikTok"), accountBadge(account)),
    (account.state_reason || remedy) && h("p.small", [plain(account.state_reason), remedy].filter(Boolean).join(" ")),
    connected &&
      missing.length > 0 &&
      h("p.panel.warn.small", `Not allowed: ${missing.join(", ")}. Connect the account again to allow it.`),
    h(
      "dl.facts.small",
      h("dt", "Account ID"),
      h("dd", h("code", account.account_id), " ", copyButton("Copy ID", account.account_id, "Copy ID")),
      account.expires_at && [h("dt", "Access until"), h("dd", time(account.expires_at, { relative: false }))],
    ),
    h(
      "div.actions",
      account.is_valid &&
        posts &&
        h("a.button", { href: `#/compose?account=${account.account_id}&test=1` }, "Test Upload"),
      h("a.button", { href: `#/performance?account=${account.account_id}` }, "View Performance"),
      (account.state !== "active" || missing.length > 0) && connectLink("Connect again"),
      connected && disconnectButton(account, name, told, again),
    ),
  );
}

function disconnectButton(account, name, told, again) {
  const button = h("button.danger", { type: "button" }, "Disconnect");
  button.addEventListener("click", async () => {
    const sure = await ask({
      title: `Disconnect ${name}?`,
      body: "TikTok takes our access back, and posts that have not started yet will fail. What is published stays. You can connect the account again; it keeps its id.",
      confirm: "Disconnect",
      danger: true,
    });
    if (!sure) return;
    await during(button, told, async () => {
      const answer = await call("DELETE", `/api/accounts/${account.account_id}`);
      toast(answer.message);
      await again();
    });
  });
  return button;
}
