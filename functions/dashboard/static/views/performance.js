/** How an account and its videos fare: now, and over time. */

import { call } from "../api.js";
import { count, empty, field, fill, h, skeleton, time } from "../dom.js";
import { NOT_THERE, accountSelect, accounts, connectLink, during, errorPanel, namedAccount } from "../parts.js";
import { plot } from "../plot.js";

export const title = "Performance";

const SERIES = [
  ["Followers", (day) => day.followerCount],
  ["Views of all videos", (day) => day.collected.viewCount],
  ["Likes of the account", (day) => day.likesCount],
  ["Videos", (day) => day.videoCount],
];
const COLUMNS = [
  ["Video Description", "videoDescription"],
  ["Views", "viewCount", true],
  ["Likes", "likeCount", true],
  ["Comments", "commentCount", true],
  ["Shares", "shareCount", true],
  ["Duration", "duration", true],
  ["Create Time", "createTime"],
];
const PAGE = 20;
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const TILES = [
  ["Followers", "follower_count", "followerCount"],
  ["Following", "following_count", "followingCount"],
  ["Likes", "likes_count", "likesCount"],
  ["Videos", "video_count", "videoCount"],
];
const AGES = { "1h": "1 hour", "6h": "6 hours", "24h": "1 day", "72h": "3 days", "7d": "7 days" };

/** Show the account of the address, else the first one. */
export async function render(root, { query, signal }) {
  const place = h("div.stack", skeleton(3));
  root.append(place);
  const known = await accounts(signal);
  if (known.length === 0) {
    fill(
      place,
      empty(
        "No account yet",
        "Connect a TikTok account, and its figures appear here.",
        h("a.button.primary", { href: "#/accounts" }, "Go to the accounts"),
      ),
    );
    return;
  }
  const account = namedAccount(known, query.account);
  const choice = accountSelect(known, { chosen: account?.account_id, any: account ? null : "Choose an account" });
  choice.addEventListener("change", () => {
    location.hash = `#/performance?account=${choice.value}`;
  });
  if (!account) {
    fill(place, h("div.filters", field("Account", choice)), h("p.panel.warn", NOT_THERE));
    return;
  }
  const now = h("div.stack", skeleton(2));
  const past = h("div.stack", skeleton(1));
  const changes = Object.fromEntries(TILES.map(([name]) => [name, h("span.small.soft")]));
  fill(place, h("div.filters", field("Account", choice)), now, past);
  await Promise.all([
    part(now, () => present(account.account_id, changes, signal)),
    part(past, () => history(account.account_id, changes, signal)),
  ]);
}

/** Fill a part of the page; what fails is told there, and the other parts stand. */
async function part(place, load) {
  try {
    fill(place, await load());
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        place,
        errorPanel(error, () => part(place, load)),
      );
  }
}

async function present(accountId, changes, signal) {
  const figures = await call("GET", "/api/performance/metrics", {
    signal,
    query: { account_id: accountId, platform: "tiktok" },
  });
  const { metrics, missing_scopes: missing } = figures;
  const videos = (figures.videos ?? []).map(inOurNames);
  return [
    missing.length > 0 &&
      h(
        "section.panel.warn",
        h(
          "p",
          `The creator has not allowed ${missing.join(", ")}, so some figures are missing. `,
          connectLink("Connect again to allow it", "a"),
          ".",
        ),
      ),
    h(
      "ul.tiles",
      TILES.map(([name, key]) =>
        h("li.card.tight", h("span.soft", name), h("span.figure", count(metrics[key])), changes[name]),
      ),
    ),
    h("p.soft.small", "As TikTok said ", time(figures.as_of), figures.cached_at ? "; kept for up to 15 minutes." : "."),
    figures.videos &&
      (videos.length === 0
        ? empty(
            "No public video",
            "Views, likes, comments and shares of public videos appear here, some minutes after TikTok shows them.",
            h("a.button.primary", { href: `#/compose?account=${accountId}` }, "New post"),
          )
        : table(accountId, videos, signal)),
  ];
}

/** Return a video of the account's figures under the names that pages of videos use. */
function inOurNames(video) {
  return Object.fromEntries(
    Object.entries(video).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), value]),
  );
}

/** The table of the account's latest videos; older ones follow on demand, each page a question to TikTok. */
function table(accountId, videos, signal) {
  let cursor = Math.min(...videos.map((video) => Date.parse(video.createTime)));
  let order = ["createTime", -1];
  const rows = h("tbody");
  const heads = COLUMNS.map(([name, key, number]) => {
    const button = h("button", { type: "button", onclick: () => sort(key) }, name);
    return h(number ? "th.number" : "th", { scope: "col", "data-key": key }, button);
  });
  const show = () => {
    const [key, way] = order;
    videos.sort((one, other) => (one[key] > other[key] ? way : one[key] < other[key] ? -way : 0));
    for (const head of heads)
      head.setAttribute("aria-sort", head.dataset.key !== key ? "none" : way > 0 ? "ascending" : "descending");
    fill(
      rows,
      videos.map((video) => row(accountId, video, signal)),
    );
  };
  const sort = (key) => {
    order = [key, order[0] === key ? -order[1] : key === "videoDescription" ? 1 : -1];
    show();
  };
  const told = h("div", { role: "alert" });
  const more = h("button", { type: "button", hidden: videos.length < PAGE }, "Show more");
  more.addEventListener("click", () =>
    during(more, told, async () => {
      const page = await call("GET", `/v2/accounts/${accountId}/videos`, { signal, query: { cursor } });
      videos.push(...(page.videos ?? []));
      ({ cursor } = page);
      more.hidden = !page.hasMore;
      show();
    }),
  );
  show();
  return h(
    "section.stack",
    { "aria-label": "Videos" },
    h("h2", "Videos"),
    h(
      "div.table",
      { tabindex: "0", role: "region", "aria-label": "Videos and their figures" },
      h(
        "table",
        h("caption.hidden-text", "Videos and their figures; the column heads sort"),
        h("thead", h("tr", h("th", { scope: "col" }, "Cover"), heads, h("th", { scope: "col" }, "Compare"))),
        rows,
      ),
    ),
    told,
    more,
  );
}

function row(accountId, video, signal) {
  const item = h(
    "tr",
    h(
      "td",
      h("img.cover", {
        src: video.coverImageUrl,
        alt: "",
        width: 36,
        height: 48,
        loading: "lazy",
        referrerpolicy: "no-referrer",
      }),
    ),
    h(
      "td.wide",
      h(
        "a",
        { href: video.shareUrl, target: "_blank", rel: "noopener noreferrer" },
        video.videoDescription || "No caption",
      ),
    ),
    ["viewCount", "likeCount", "commentCount", "shareCount"].map((key) => h("td.number", count(video[key]))),
    h("td.number", `${video.duration} s`),
    h("td", time(video.createTime, { relative: false })),
  );
  const button = h(
    "button.quiet",
    {
      type: "button",
      "aria-expanded": "false",
      "aria-label": `Compare ${video.videoDescription || "this video"} with the others`,
    },
    "Compare",
  );
  let opened = null;
  button.addEventListener("click", async () => {
    if (opened) {
      opened.remove();
      opened = null;
    } else {
      const place = h("td", { colspan: COLUMNS.length + 2 }, skeleton(1));
      opened = h("tr", place);
      item.after(opened);
      await part(place, () => compare(accountId, video.id, signal));
    }
    button.setAttribute("aria-expanded", String(Boolean(opened)));
  });
  item.append(h("td", button));
  return item;
}

/** How a video did at each age, beside the median of the account's other videos at that age, and its views over time. */
async function compare(accountId, videoId, signal) {
  const [found, { days }] = await Promise.all([
    call("GET", `/v2/accounts/${accountId}/videos/${videoId}`, { signal }),
    call("GET", `/v2/accounts/${accountId}/history`, { signal, query: { videoId } }),
  ]);
  const views = plot(
    "Views of this video",
    days.map((day) => ({ date: day.date, value: day.viewCount })),
  );
  return h("div.stack", ages(found), views && h("div.cards", views));
}

function ages(found) {
  return h(
    "table.inner",
    h("caption", "Views at the same age, beside the median of the account's other videos"),
    h(
      "thead",
      h(
        "tr",
        ["Age", "This video", "Median", "Compared with", "Of the median"].map((name, at) =>
          h(at ? "th.number" : "th", { scope: "col" }, name),
        ),
      ),
    ),
    h(
      "tbody",
      Object.entries(found.ages).map(([age, one]) =>
        h(
          "tr",
          h("th", { scope: "row" }, AGES[age] ?? age),
          h("td.number", count(one.viewCount)),
          h("td.number", count(one.medianViewCount)),
          h("td.number", one.comparedWith === 1 ? "1 video" : `${one.comparedWith} videos`),
          h("td.number", one.ratio === null ? "–" : `${Math.round(one.ratio * 100)} %`),
        ),
      ),
    ),
    found.postSubmissionId &&
      h(
        "tfoot",
        h(
          "tr",
          h(
            "td",
            { colspan: 5 },
            h("a", { href: `#/posts/${found.postSubmissionId}` }, "The post it was published with"),
          ),
        ),
      ),
  );
}

async function history(accountId, changes, signal) {
  const { days } = await call("GET", `/v2/accounts/${accountId}/history`, { signal });
  for (const [name, , key] of TILES) fill(changes[name], change(days, key));
  const plots = SERIES.map(([name, value]) =>
    plot(
      name,
      days.map((day) => ({ date: day.date, value: value(day) })),
    ),
  ).filter(Boolean);
  return h(
    "section.stack",
    { "aria-label": "Over time" },
    h(
      "div.row.between",
      h("h2", "Over time"),
      h("a.button", { href: `/v2/accounts/${accountId}/history?format=csv`, download: true }, "Download CSV"),
    ),
    plots.length > 0
      ? h("div.cards", plots)
      : h("p.soft", "Figures are collected once a day. Plots appear when there are two days of them."),
  );
}

/** How much a figure has moved from the first day that knows it, or nothing when no two days do. */
function change(days, key) {
  const known = days.filter((day) => day[key] !== null);
  if (known.length < 2) return null;
  const moved = known.at(-1)[key] - known[0][key];
  return `${moved > 0 ? "+" : ""}${count(moved)} since ${DAY.format(new Date(known[0].asOf))}`;
}
