import json
import stat
import threading
from pathlib import Path

from bot.server.auth.secrets_file import FILE, Secrets, load_or_create


def test_secrets_are_made_once(tmp_path: Path) -> None:
    made = load_or_create(tmp_path)
    assert load_or_create(tmp_path) == made
    assert len(made.password) >= 12
    assert len(made.token) >= 40


def test_each_home_has_its_own(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir()
    one, two = map(load_or_create, homes)
    assert one.password != two.password
    assert one.token != two.token


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_secrets_an_operator_wrote_are_taken(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"password": "p", "token": "t"}), encoding="utf-8")
    assert load_or_create(tmp_path) == Secrets("p", "t")


def test_workers_that_start_together_share_one_set(tmp_path: Path) -> None:
    for attempt in range(20):
        home = tmp_path / str(attempt)
        home.mkdir()
        made: list[Secrets] = []
        start = threading.Barrier(6)

        def worker(home: Path = home, made: list[Secrets] = made) -> None:
            start.wait()  # noqa: B023 — joined before the next barrier is made
            made.append(load_or_create(home))

        workers = [threading.Thread(target=worker) for _ in range(6)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        assert len(made) == 6
        assert len(set(made)) == 1
