/** All posts, the newest first, with filters; those that are under way are kept up to date. */

import { call, poll } from "../api.js";
import { empty, field, fill, h, skeleton, time } from "../dom.js";
import { STATUSES, accountSelect, accounts, during, isOver, nameOf, statusBadge } from "../parts.js";

export const title = "Posts";

const PAGE = 20;

/** Show a page of posts, and more on demand. The filters stand in the address. */
export async function render(root, { query, signal }) {
  const list = h("div.stack", skeleton(4));
  const filters = h("form.filters", { "aria-label": "Filters" });
  root.append(filters, list);
  const known = await accounts(signal);
  fillFilters(filters, known, query);
  const names = new Map(known.map((account) => [account.account_id, nameOf(account)]));
  const first = await load(query, null, signal);
  if (first.posts.length === 0) return fill(list, nothing(query));
  showList(list, first, { names, query, signal });
  return undefined;
}

function fillFilters(form, known, query) {
  const status = h(
    "select",
    h("option", { value: "" }, "Any status"),
    Object.entries(STATUSES).map(([value, [label]]) => h("option", { value, selected: value === query.status }, label)),
  );
  const account = accountSelect(known, { chosen: query.accountId, any: "All accounts" });
  const since = h("input", { type: "date", value: query.since ?? "" });
  const until = h("input", { type: "date", value: query.until ?? "" });
  fill(form, field("Status", status), field("Account", account), field("From", since), field("To", until));
  form.addEventListener("change", () => {
    const chosen = { status: status.value, accountId: account.value, since: since.value, until: until.value };
    const kept = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
    location.hash = `#/posts?${kept}`;
  });
}

function load(query, cursor, signal) {
  return call("GET", "/v2/posts", {
    signal,
    query: {
      status: query.status,
      accountId: query.accountId,
      since: query.since && new Date(`${query.since}T00:00`).toISOString(),
      until: query.until && dayAfter(query.until).toISOString(),
      limit: PAGE,
      cursor,
    },
  });
}

function dayAfter(text) {
  const day = new Date(`${text}T00:00`);
  day.setDate(day.getDate() + 1);
  return day;
}

function nothing(query) {
  if (["status", "accountId", "since", "until"].some((name) => query[name])) {
    return empty(
      "No post like this",
      "Nothing matches the filters.",
      h("a.button", { href: "#/posts" }, "Clear filters"),
    );
  }
  return empty(
    "No post yet",
    "What you publish, schedule or drop in S3 is listed here with what became of it.",
    h("a.button.primary", { href: "#/compose" }, "New post"),
  );
}

function showList(list, first, { names, query, signal }) {
  const rows = h("ul.list");
  const told = h("div", { role: "alert" });
  const more = h("button", { type: "button" }, "Show more");
  const shown = new Map();
  let cursor = null;
  const take = (page) => {
    for (const post of page.posts) {
      const item = h("li", row(post, names));
      shown.set(post.postSubmissionId, { post, item });
      rows.append(item);
    }
    cursor = page.cursor;
    more.hidden = !cursor;
  };
  more.addEventListener("click", () => during(more, told, async () => take(await load(query, cursor, signal))));
  fill(list, rows, told, more);
  take(first);
  poll(() => refresh(shown, names, signal), { signal, seconds: 5 }).catch(() => {}); // the list stays as it is
}

/** Ask for the posts that are not over; a row is only made anew when its post has changed, so that no focus is lost. */
async function refresh(shown, names, signal) {
  const open = [...shown.values()].filter(({ post }) => !isOver(post)).slice(0, PAGE);
  for (const one of open) {
    const post = await call("GET", one.post.statusUrl, { signal });
    if (post.status !== one.post.status || post.notBefore !== one.post.notBefore) fill(one.item, row(post, names));
    one.post = post;
  }
  return false;
}

function row(post, names) {
  const at = post.scheduledTime ?? post.notBefore;
  return h(
    "article.card.tight",
    h(
      "div.row.between",
      h("h2.line", h("a", { href: `#/posts/${post.postSubmissionId}` }, post.text || "No caption")),
      statusBadge(post.status),
    ),
    h(
      "p.row.soft.small",
      h("span", names.get(post.accountId) ?? post.accountId),
      h("span", post.post_type === "photo" ? "Photos" : "Video", post.options.draft && ", draft"),
      at ? h("span", post.scheduledTime ? "Goes out " : "Not before ", time(at)) : h("span", time(post.createdAt)),
    ),
    post.error && h("p.small", post.error),
  );
}
