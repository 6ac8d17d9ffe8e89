"""Figures over HTTP: what the answers look like, and what a post, a connection and a collection have to do with it."""

import csv
import io

import pytest

from publisher.domain.errors import ServiceUnavailable
from publisher.domain.history import Collected, Counts, Day, Look, Track, date_of, slot_of
from publisher.domain.metrics import AccountFigures
from publisher.domain.posts import Status
from publisher.use_cases.collect_figures import collect_figures
from tests.builders import NOW, a_post
from tests.fakes import FakePorts
from tests.unit.conftest import Http, assert_failed
from tests.unit.test_connecting import connect
from tests.unit.work import FILM, URL, Work

DAY = 86400
BUSY = ServiceUnavailable("The store is busy.", "Try again.")
SEEN = Counts(views=30, likes=4, comments=3, shares=2)


@pytest.fixture
def account(ports: FakePorts):
    return ports.connect()


def collected(ports: FakePorts, account_id: str, **tracks: Track) -> None:
    tracks = {name.removeprefix("_"): track for name, track in tracks.items()}
    ports.metrics.save(Collected(account_id=account_id, at=NOW, tracks=tracks), NOW + DAY)


# One video
def test_a_video_is_shown_beside_the_median_of_the_others_at_the_same_age(ports, http: Http, account):
    video_id, *others = ports.tiktok.add_videos(account.open_id, 4)
    tracks = {
        f"_{other}": Track(int(NOW), None, {"1h": Counts(views, 0, 0, 0)})
        for other, views in zip(others, (10, 20, 90), strict=True)
    }
    collected(ports, account.account_id, **tracks, **{f"_{video_id}": Track(int(NOW), None, {"1h": SEEN})})
    ages = http.get(f"/v2/accounts/{account.account_id}/videos/{video_id}").json["ages"]
    assert ages["1h"] == {
        "viewCount": 30,
        "likeCount": 4,
        "commentCount": 3,
        "shareCount": 2,
        "medianViewCount": 20,
        "comparedWith": 3,
        "ratio": 1.5,
    }
    assert set(ages["7d"].values()) == {None, 0}


def test_beside_others_that_nobody_saw_there_is_no_ratio(ports, http: Http, account):
    video_id, other = ports.tiktok.add_videos(account.open_id, 2)
    unseen = Track(int(NOW), None, {"1h": Counts(0, 0, 0, 0)})
    collected(ports, account.account_id, **{f"_{video_id}": Track(int(NOW), None, {"1h": SEEN}), f"_{other}": unseen})
    age = http.get(f"/v2/accounts/{account.account_id}/videos/{video_id}").json["ages"]["1h"]
    assert (age["medianViewCount"], age["comparedWith"], age["ratio"]) == (0, 1, None)


def test_a_video_that_was_published_here_names_its_post_and_another_names_none(ports, http: Http, account):
    video_id, other = ports.tiktok.add_videos(account.open_id, 2)
    post = a_post(account_id=account.account_id, status=Status.PUBLISH_COMPLETE, post_ids=(video_id,))
    ports.posts.accept(post, None)
    ports.posts.accept(a_post(account_id="account-2", post_ids=(other,)), None)
    shown = http.get(f"/v2/accounts/{account.account_id}/videos/{video_id}").json
    assert (shown["video"]["id"], shown["postSubmissionId"]) == (video_id, post.post_id)
    assert "postSubmissionId" not in http.get(f"/v2/accounts/{account.account_id}/videos/{other}").json


# The limit of the day
def test_the_hundred_and_first_question_is_told_when_the_next_is_free(ports, http: Http, account):
    ports.tiktok.add_videos(account.open_id, 1)
    for cursor in range(100):
        assert http.get(f"/v2/accounts/{account.account_id}/videos", query={"cursor": str(cursor)}).status == 200
    refused = http.get("/api/performance/metrics", query={"account_id": account.account_id})
    assert_failed(refused, 429, "RateLimitExceeded")
    assert refused.headers["Retry-After"] == str(DAY)
    assert refused.headers["RateLimit"] == f'"performance";r=0;t={DAY}'
    assert http.get(f"/v2/accounts/{account.account_id}/videos", query={"cursor": "7"}).json["cachedAt"]
    assert http.get(f"/v2/accounts/{account.account_id}/history").status == 200


# Day by day
def a_history(ports: FakePorts, account_id: str) -> None:
    for number, videos in enumerate([{"1": SEEN}, {}, {"1": SEEN, "2": Counts(1, 1, 1, 1)}]):
        at = NOW - (3 - number) * DAY
        figures = AccountFigures(follower_count=10 + number, video_count=len(videos))
        ports.metrics.record(account_id, Day(date=date_of(at), at=at, figures=figures, videos=videos))


def test_a_history_sums_what_was_collected_of_each_day_and_leaves_out_what_is_not_known(ports, http: Http, account):
    a_history(ports, account.account_id)
    days = http.get(f"/v2/accounts/{account.account_id}/history").json["days"]
    assert [day["date"] for day in days] == ["2026-09-18", "2026-09-19", "2026-09-20"]
    assert [day["followerCount"] for day in days] == [10, 11, 12]
    assert [day["likesCount"] for day in days] == [None] * 3
    assert [day["collected"]["viewCount"] for day in days] == [30, 0, 31]
    assert [day["collected"]["videos"] for day in days] == [1, 0, 2]


def test_a_videos_history_has_the_days_on_which_it_was_there(ports, http: Http, account):
    a_history(ports, account.account_id)
    days = http.get(f"/v2/accounts/{account.account_id}/history", query={"videoId": "1"}).json["days"]
    assert [day["date"] for day in days] == ["2026-09-18", "2026-09-20"]
    assert {(day["viewCount"], day["likeCount"], day["commentCount"], day["shareCount"]) for day in days} == {SEEN}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, ["10,,,1,1,30,4,3,2", "11,,,0,0,0,0,0,0", "12,,,2,2,31,5,4,3"]),
        ({"videoId": "2"}, ["1,1,1,1"]),
        ({"videoId": "3"}, []),
    ],
)
def test_a_history_is_a_table_with_a_header_and_a_row_a_day(ports, http: Http, account, query, rows):
    a_history(ports, account.account_id)
    answer = http.get(f"/v2/accounts/{account.account_id}/history", query={"format": "csv", **query})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="history-{account.account_id}.csv"'
    header, *read = csv.reader(io.StringIO(answer.body))
    assert [",".join(row[1:]) for row in read] == rows
    assert all(len(row) == len(header) for row in read)
    assert header[0] == "date"


# A post
def test_a_post_shows_its_videos_figures_once_somebody_has_looked(ports, http: Http, account):
    post = a_post(account_id=account.account_id, status=Status.PUBLISH_COMPLETE, post_ids=("71",))
    ports.posts.accept(post, None)
    assert "metrics" not in http.get(f"/v2/posts/{post.post_id}").json
    collected(ports, account.account_id, _72=Track(int(NOW), Look(NOW, SEEN)), _71=Track(int(NOW)))
    assert "metrics" not in http.get(f"/v2/posts/{post.post_id}").json
    known = ports.metrics.get(account.account_id)
    ports.metrics.save(known.model_copy(update={"tracks": {"71": Track(int(NOW), Look(NOW + 0.5, SEEN))}}), NOW)
    assert http.get(f"/v2/posts/{post.post_id}").json["metrics"] == {
        "viewCount": 30,
        "likeCount": 4,
        "commentCount": 3,
        "shareCount": 2,
        "asOf": "2026-09-21T14:13:20.500Z",
    }


def test_a_post_is_shown_without_figures_when_they_cannot_be_read(ports, http: Http, account):
    post = a_post(account_id=account.account_id, status=Status.PUBLISH_COMPLETE, post_ids=("71",))
    ports.posts.accept(post, None)
    collected(ports, account.account_id, _71=Track(int(NOW), Look(NOW, SEEN)))
    ports.metrics.faults.before("get", BUSY)
    answer = http.get(f"/v2/posts/{post.post_id}")
    assert (answer.status, answer.json["status"]) == (200, "PUBLISH_COMPLETE")
    assert "metrics" not in answer.json


# What plans a collection
def a_work(ports: FakePorts) -> Work:
    """A post that only has to be accepted."""
    ports.fetcher.media[URL] = FILM
    return Work(ports)


def test_an_account_is_due_from_the_moment_it_is_connected(ports):
    account = connect(ports)
    assert ports.metrics.due(ports.clock.now(), 10) == [account.account_id]


def test_an_account_is_connected_though_its_collection_cannot_be_planned(ports):
    ports.metrics.faults.before("plan", BUSY)
    account = connect(ports)
    assert ports.accounts.get(account.account_id).connected


def test_a_video_is_looked_at_an_hour_after_it_was_published_and_then_told_at_that_age(ports, http: Http):
    work = a_work(ports)
    account_id = work.account.account_id
    # The whole account is collected now, and a day later for the next time.
    ports.clock.sleep((slot_of(account_id) - ports.clock.now()) % DAY)
    ports.metrics.plan(account_id, ports.clock.now())
    collect_figures(ports, seconds_left=lambda: 200.0)
    work.accept()
    work.go_on()
    assert work.post.status is Status.PUBLISH_COMPLETE
    assert ports.metrics.due(ports.clock.now() + 3599, 10) == []
    ports.clock.sleep(3600)
    assert ports.metrics.due(ports.clock.now(), 10) == [account_id]
    (video_id,) = (upload.publish_id.rpartition(".")[2] for upload in ports.tiktok.public_posts)
    ports.tiktok.set_figures(video_id, view_count=44)
    collect_figures(ports, seconds_left=lambda: 200.0)
    ages = http.get(f"/v2/accounts/{account_id}/videos/{video_id}").json["ages"]
    assert ages["1h"]["viewCount"] == pytest.approx(44, abs=1)


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_post_is_published_though_a_look_at_it_cannot_be_planned(ports, lost):
    work = a_work(ports)
    work.accept()
    getattr(ports.metrics.faults, lost)("plan", BUSY)
    assert work.go_on().count("RecordPublished") == 1
    assert work.post.status is Status.PUBLISH_COMPLETE
