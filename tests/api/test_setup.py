"""The first operator over HTTP: by the set-up link, once, and by no page of another site."""

from concurrent.futures import ThreadPoolExecutor

from fairlead.flows.access.first_operator import make_setup_link
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.api.permitting import problem
from tests.flows.access.people import PASSWORD, code, rows

OPERATOR = "/api/v1/setup/operator"


def asked(database: Database, **other: str) -> dict[str, str]:
    link = make_setup_link(database)
    token = "none" if link is None else link.token
    return {"token": token, "email": "ann@example.com", "name": "Ann Example", "password": PASSWORD} | other


def test_the_first_operator_is_let_in_and_enrols_as_every_other(database: Database) -> None:
    app = application(database)
    ann = anonymous(app)
    weak = ann.post(OPERATOR, json=asked(database, password="password1234"))
    assert problem(weak) == (422, "input_invalid")
    wish = asked(database)
    done = ann.post(OPERATOR, json=wish)
    assert (done.status_code, done.json()["next_step"], done.json()["permissions"]) == (201, "enrolment", [])
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("__Host-fairlead_session=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert problem(ann.get("/api/v1/admin/niches")) == (403, "enrolment_required")
    begun = ann.post("/api/v1/session/enrolment").json()
    codes = ann.post("/api/v1/session/enrolment/confirm", json={"code": code(database, begun["secret"])})
    assert len(codes.json()["recovery_codes"]) == 10
    assert ann.get("/api/v1/admin/niches").status_code == 200
    for eve in (ann, anonymous(app)):
        assert problem(eve.post(OPERATOR, json=wish)) == (410, "setup_finished")
        assert problem(eve.post(OPERATOR, json=wish | {"email": "eve@example.com"})) == (410, "setup_finished")


def test_a_token_that_is_none_is_refused(database: Database) -> None:
    app = application(database)
    for token in ("guess", "x" * 200, "%00"):
        assert problem(anonymous(app).post(OPERATOR, json=asked(database, token=token))) == (403, "token_refused")
    for wrong in ({"token": ""}, {"token": "\x00"}, {"token": "x" * 201}, {"email": "ann"}):
        assert problem(anonymous(app).post(OPERATOR, json=asked(database) | wrong)) == (422, "input_invalid")
    assert rows(database, "select count(*) from users") == [0]


def test_pages_of_other_sites_cannot_use_it(database: Database) -> None:
    app, wish = application(database), asked(database)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://evil.example", "Host": "leads.example.com"},
        {"Origin": "null"},
    ):
        assert problem(anonymous(app).post(OPERATOR, json=wish, headers=headers)) == (403, "cross_origin_refused")
    form = anonymous(app).post(OPERATOR, data=wish, headers={"Sec-Fetch-Site": "same-origin"})
    assert problem(form) == (415, "content_type_unsupported")
    assert rows(database, "select count(*) from users") == [0]


def test_a_foreign_host_changes_nothing(database: Database) -> None:
    """The link is written with the server's own address; no header of a request gets into it."""
    app, wish = application(database), asked(database)
    done = anonymous(app).post(OPERATOR, json=wish, headers={"Host": "evil.example"})
    assert done.status_code == 201
    assert "evil" not in str(done.headers) + done.text


def test_of_two_browsers_one_wins(database: Database) -> None:
    app, wish = application(database), asked(database)
    with ThreadPoolExecutor(6) as pool:
        answers = [
            pool.submit(anonymous(app).post, OPERATOR, json=wish | {"email": f"ann{number}@example.com"})
            for number in range(6)
        ]
        statuses = sorted(each.result().status_code for each in answers)
    assert statuses == [201] + [410] * 5
    assert rows(database, "select count(*) from users") == [1]


def test_a_key_is_not_taken(database: Database) -> None:
    answer = anonymous(application(database)).post(
        OPERATOR, json=asked(database), headers={"Idempotency-Key": "x" * 20}
    )
    assert problem(answer) == (400, "idempotency_key_unsupported")
