/** What goes out when: as a list by day, or as a calendar month. */

import { call } from "../api.js";
import { empty, fill, h, skeleton } from "../dom.js";
import { statusBadge } from "../parts.js";
import { ownZone } from "../zones.js";

export const title = "Schedule";

const PAGES = 5;
const PAGE = 100;
const A_DAY = 3;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const MONTH = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });

/** Show all posts that wait for their time or their turn. */
export async function render(root, { query, signal }) {
  const place = h("div.stack", skeleton(3));
  root.append(place);
  const { posts, more } = await waiting(signal);
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(query.month ?? "") ? query.month : dayOf(new Date()).slice(0, 7);
  const asMonth = query.view === "month";
  fill(
    place,
    h(
      "div.row.between",
      h("p.soft", `Times are in ${ownZone().replaceAll("_", " ")}.`),
      h(
        "div.actions",
        { role: "group", "aria-label": "View" },
        view("List", "#/schedule", !asMonth),
        view("Month", `#/schedule?view=month&month=${month}`, asMonth),
      ),
    ),
    more && h("p.panel.warn", `Only the ${PAGES * PAGE} latest posts are looked through.`),
    asMonth ? calendar(posts, month) : agenda(posts),
  );
}

function view(label, href, current) {
  return h("a.button", { href, "aria-current": current ? "true" : null }, label);
}

/** Fetch the posts that have a time to come, the next one first; `more` when not all could be looked through. */
async function waiting(signal) {
  const found = [];
  let more = false;
  for (const status of ["SCHEDULED", "QUEUED"]) {
    let cursor = null;
    for (let page = 0; page < PAGES; page += 1) {
      const answer = await call("GET", "/v2/posts", { signal, query: { status, limit: PAGE, cursor } });
      found.push(...answer.posts);
      cursor = answer.cursor;
      if (!cursor) break;
    }
    more ||= Boolean(cursor);
  }
  const posts = found.map((post) => ({ ...post, at: post.notBefore ?? post.scheduledTime })).filter((post) => post.at);
  return { posts: posts.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at)), more };
}

/** Write a date of the browser's zone as 2026-11-23. */
function dayOf(date) {
  const part = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`;
}

function byDay(posts) {
  return Map.groupBy(posts, (post) => dayOf(new Date(post.at)));
}

function agenda(posts) {
  if (posts.length === 0) {
    return empty(
      "Nothing is planned",
      "Give a post a time, and it goes out by itself; it is listed here until then.",
      h("a.button.primary", { href: "#/compose" }, "New post"),
    );
  }
  return [...byDay(posts)].map(([day, those]) =>
    h(
      "section.stack",
      { "aria-label": DAY.format(new Date(`${day}T12:00`)) },
      h("h2", DAY.format(new Date(`${day}T12:00`))),
      h(
        "ul.list",
        those.map((post) =>
          h(
            "li.card.tight",
            h(
              "div.row.between",
              h("span.line", h("span.strong", CLOCK.format(new Date(post.at))), " ", link(post)),
              statusBadge(post.status),
            ),
          ),
        ),
      ),
    ),
  );
}

function link(post) {
  return h("a", { href: `#/posts/${post.postSubmissionId}` }, post.text || "No caption");
}

function calendar(posts, month) {
  const first = new Date(`${month}-01T12:00`);
  const start = new Date(first);
  start.setDate(1 - ((first.getDay() + 6) % 7));
  const days = Array.from(
    { length: 42 },
    (_, number) => new Date(start.getFullYear(), start.getMonth(), start.getDate() + number, 12),
  );
  const weeks = Array.from({ length: 6 }, (_, week) => days.slice(week * 7, week * 7 + 7)).filter((week) =>
    week.some((day) => dayOf(day).startsWith(month)),
  );
  const found = byDay(posts);
  return h(
    "section.stack",
    { "aria-label": MONTH.format(first) },
    h(
      "div.row.between",
      h("h2", MONTH.format(first)),
      h(
        "div.actions",
        { role: "group", "aria-label": "Month" },
        turn("Previous month", month, -1),
        h("a.button", { href: "#/schedule?view=month" }, "Today"),
        turn("Next month", month, 1),
      ),
    ),
    h(
      "div.table",
      { tabindex: "0", role: "region", "aria-label": "Calendar" },
      h(
        "table.calendar",
        h("caption.hidden-text", `Posts in ${MONTH.format(first)}`),
        h(
          "thead",
          h(
            "tr",
            days.slice(0, 7).map((day) => h("th", { scope: "col" }, WEEKDAY.format(day))),
          ),
        ),
        h(
          "tbody",
          weeks.map((week) =>
            h(
              "tr",
              week.map((day) => cell(day, month, found.get(dayOf(day)) ?? [])),
            ),
          ),
        ),
      ),
    ),
  );
}

function turn(label, month, step) {
  const [year, number] = month.split("-").map(Number);
  const to = dayOf(new Date(year, number - 1 + step, 1, 12)).slice(0, 7);
  return h("a.button", { href: `#/schedule?view=month&month=${to}` }, label);
}

function cell(day, month, posts) {
  const kinds = [dayOf(day).startsWith(month) ? "" : "other", dayOf(day) === dayOf(new Date()) ? "today" : ""].filter(
    Boolean,
  );
  const rest = posts.length - A_DAY;
  return h(
    ["td", ...kinds].join("."),
    h("time", { datetime: dayOf(day) }, String(day.getDate())),
    posts.length > 0 &&
      h(
        "ul",
        posts
          .slice(0, A_DAY)
          .map((post) =>
            h(
              "li",
              h(
                "a",
                { href: `#/posts/${post.postSubmissionId}` },
                `${CLOCK.format(new Date(post.at))} ${post.text || "No caption"}`,
              ),
            ),
          ),
      ),
    rest > 0 && h("a.small", { href: "#/schedule" }, `${rest} more`),
  );
}
