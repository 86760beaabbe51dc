"""Persons by the rules that come with the hub: who is one, who is not."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from hub.explain import explain_pair
from hub.rules.read import load_rules

_RULES = load_rules("person")
_MING = {"full_name": "王小明", "party_source_key": "C1"}
_LI = {"full_name": "李建国", "party_source_key": "C1"}
_FIRM = {"company_name": "上海云帆科技有限公司"}


@pytest.fixture
def judge(parties: Callable[..., pl.DataFrame]) -> Callable[..., Any]:
    """What is found of two records by themselves."""
    return lambda *rows: explain_pair(parties(*rows), ("crm", "k0000"), ("crm", "k0001"), _RULES)


@pytest.mark.parametrize(
    "shared", [{"mobile": "13912340001"}, {"email": "info@yunfan.com.cn"}, {"email": "wm@yunfan.com.cn"}, {}]
)
@pytest.mark.parametrize("employer", [{}, _FIRM])
def test_colleagues_who_share_a_number_or_a_mailbox_are_two(
    judge: Callable[..., Any], shared: dict[str, str], employer: dict[str, str]
) -> None:
    found = judge({**_MING, **shared, **employer}, {**_LI, **shared, **employer})
    assert found["verdict"] in ("no match", "grey")


def test_a_shared_mailbox_alone_joins_nobody(judge: Callable[..., Any]) -> None:
    found = judge({"full_name": "王小明", "email": "info@yunfan.com.cn"}, {"full_name": "李建国", "email": "info@yunfan.com.cn"})
    assert found["verdict"] == "no match"


def test_two_of_whom_no_whole_name_is_known_may_share_a_mobile_and_be_one(judge: Callable[..., Any]) -> None:
    one = {"mobile": "13912340001", "party_source_key": "C1"}
    assert judge({"full_name": "刘总", **one}, {"full_name": "小毅", **one})["verdict"] == "match"
    assert judge({"full_name": "刘总", **one}, {"full_name": "王小毅", **one})["verdict"] == "no match"


def test_a_surname_with_a_title_is_no_name_and_a_role_none_at_all(judge: Callable[..., Any]) -> None:
    assert judge({"full_name": "王总"}, {"full_name": "王总"})["verdict"] == "no match"
    assert judge({"full_name": "联系人"}, {"full_name": "联系人"})["verdict"] == "no match"
    employer = {"company_name": "杭州云帆科技有限公司"}
    assert judge({"full_name": "王总", **employer}, {"full_name": "王总", **employer})["verdict"] == "match"


@pytest.mark.parametrize("where", [("email", "john@acme.com", "jsmith@acme.com"), ("company_name", "Acme Ltd.", "ACME Limited")])
@pytest.mark.parametrize("other", ["Smith John", "SMITH, John", "John Smith"])
def test_the_order_of_a_western_name_does_not_matter(judge: Callable[..., Any], where: tuple[str, str, str], other: str) -> None:
    column, one, two = where
    found = judge({"full_name": "John Smith", column: one}, {"full_name": other, column: two})
    assert found["proposed_by"]
    assert found["verdict"] == "match"


def test_a_foreign_mobile_is_a_mobile_however_it_is_typed(judge: Callable[..., Any]) -> None:
    found = judge(
        {"full_name": "John Smith", "mobile": "+44 (0)7700 900123"}, {"full_name": "Smith John", "mobile": "0044 7700 900123"}
    )
    assert found["verdict"] == "match"


def test_a_contact_and_a_company_in_each_others_field_are_read_the_right_way_round(judge: Callable[..., Any]) -> None:
    right = {"contact_name": "王小明", "company_name": "上海华强电子有限公司"}
    wrong = {"contact_name": "上海华强电子有限公司", "company_name": "王小明"}
    assert judge(right, wrong)["verdict"] == "match"
    assert judge(wrong, {**wrong, "company_name": "李建国"})["verdict"] == "no match"


def test_a_record_without_a_name_does_not_make_two_colleagues_one(
    new_hub: Callable[..., Any], parties: Callable[..., pl.DataFrame]
) -> None:
    desk = {"mobile": "13912340001", "party_source_key": "C1"}
    found = new_hub("person").run(parties({**_MING, **desk}, desk, {**_LI, **desk}))
    owner = dict(found.crosswalk.select("source_key", "gid").iter_rows())
    assert owner["k0000"] != owner["k0002"]


def test_two_names_with_one_mobile_and_one_mailbox_of_their_own_are_one(judge: Callable[..., Any]) -> None:
    own = {"mobile": "13912340001", "email": "kevin@yunfan.com.cn"}
    assert judge({**_MING, **own}, {**_LI, "full_name": "Kevin", **own})["verdict"] == "match"


@pytest.mark.parametrize(
    ("one", "two", "verdict"),
    [
        # the given name before the surname
        ({"full_name": "郭桂英", "company_name": "云帆科技"}, {"full_name": "桂英郭", "company_name": "云帆科技"}, "match"),
        ({"full_name": "张伟", "mobile": "13912340001"}, {"full_name": "Zhang Wei", "mobile": "13912340001"}, "match"),
        ({"full_name": "王小明", "address": "中山路12号3楼"}, {"full_name": "王小明", "address": "中山路12号3楼"}, "match"),
        ({"full_name": "王小明", "city": "上海市"}, {"full_name": "王小明", "city": "杭州"}, "no match"),
    ],
)
def test_a_name_in_another_order_or_script_and_where_somebody_lives(
    judge: Callable[..., Any], one: dict[str, str], two: dict[str, str], verdict: str
) -> None:
    assert judge(one, two)["verdict"] == verdict


@pytest.mark.parametrize("spelled", ["Yanjie Gao", "Gao Yanjie", "YAN-JIE GAO", "Gao, Yan Jie"])
def test_a_name_in_pinyin_speaks_for_the_chinese_one_and_another_name_a_little_against_it(
    judge: Callable[..., Any], spelled: str
) -> None:
    def weigh(one: str, two: str) -> float:
        employed = ({"full_name": name, "company_name": "杭州云帆科技有限公司"} for name in (one, two))
        return float(judge(*employed)["weight"])

    found = judge({"full_name": "高艳杰", **_FIRM}, {"full_name": spelled, **_FIRM})
    assert "rough_employer" in found["proposed_by"]
    assert found["verdict"] == "match"
    assert weigh("高艳杰", spelled) >= weigh("高艳杰", "William Smith") + 4
    assert weigh("高艳杰", "William Smith") == weigh("高艳杰", "Zhang Wei") < 0


def test_a_couple_that_shares_address_and_number_are_two(judge: Callable[..., Any]) -> None:
    home = {"mobile": "13912340001", "address": "中山路12号3楼"}
    assert judge({"full_name": "王小明", **home}, {"full_name": "李芳", **home})["verdict"] == "no match"


def test_colleagues_at_one_address_are_two(judge: Callable[..., Any]) -> None:
    office = {**_FIRM, "address": "中山路12号3楼", "city": "上海"}
    assert judge({**_MING, **office}, {**_LI, **office})["verdict"] in ("no match", "grey")


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ({"full_name": "长谷川久美子"}, {"full_name": "长谷川久美子"}, "match"),
        ({"full_name": "Anna Weber"}, {"full_name": "Karl Weber"}, "no match"),
        # a colleague whose name is written in other letters
        ({"full_name": "李建国"}, {"full_name": "Zhang Wei"}, "no match"),
    ],
)
def test_a_landline_is_one_persons_where_the_names_agree(
    judge: Callable[..., Any], one: dict[str, str], other: dict[str, str], verdict: str
) -> None:
    assert judge({**one, "phone": "021-68886543", "city": "上海"}, {**other, "phone": "021-68886543"})["verdict"] == verdict


def test_a_door_is_one_persons_where_the_names_agree_but_for_typos(judge: Callable[..., Any]) -> None:
    home, misspelt = {"address": "29 Winser Crescent Pangani"}, {"address": "29 Winsr Crescnt, Pangani"}
    found = judge({"full_name": "amelia struck", **home}, {"full_name": "amelia sturck", **misspelt})
    assert found["proposed_by"]
    assert found["verdict"] == "match"
    assert judge({"full_name": "amelia struck", **home}, {"full_name": "peter struck", **home})["verdict"] == "no match"


def test_a_name_that_few_have_is_one_person_unless_something_speaks_against_it(judge: Callable[..., Any]) -> None:
    one, other = {"full_name": "谢曦娜", "mobile": "18960508659"}, {"full_name": "谢曦娜"}
    assert judge(one, other)["verdict"] == "match"
    assert judge(one, {**other, "mobile": "13912340001"})["verdict"] == "grey"


_HOME = {"address": "707 Oak Drive", "city": "Salem", "province": "Oregon"}


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        # families, whose given names begin or end alike
        ("Karen Castillo", "Andrea Castillo", "no match"),
        ("Castillo, Karen", "Andrea Castillo", "no match"),
        ("Patrick Morewell", "Mark Morewell", "no match"),
        ("Gary White", "Sara White", "no match"),
        ("Robert Reed", "Bob Reed", "match"),
        ("J Morewell", "Mark Morewell", "no match"),
        ("M Morewell", "Mark Morewell", "match"),
        ("Jonh Torewlel", "John Tarewell", "match"),
    ],
)
def test_a_home_is_a_familys_and_a_name_is_misspelt_shortened_or_called_otherwise(
    judge: Callable[..., Any], one: str, other: str, verdict: str
) -> None:
    found = judge({"full_name": one, **_HOME}, {"full_name": other, **_HOME})
    assert found["proposed_by"]
    assert found["verdict"] == verdict


def test_colleagues_who_share_employer_switchboard_town_and_domain_are_two(judge: Callable[..., Any]) -> None:
    office = {"company_name": "Garaworth Energy LLC", "phone": "(579) 336-9977", "city": "Burlington", "province": "Vermont"}
    carl = {"full_name": "Carl Carter", "email": "carterc@garaworthinc72.com", **office}
    danielle = {"full_name": "Danielle Croinwick", "email": "croinwickd@garaworthinc72.com", **office}
    assert judge(carl, danielle)["verdict"] == "no match"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # at one employer, by surname or given name; by sound in any order; by the beginnings of the words
        ({"full_name": "John Smith", "company_name": "Acme Ltd"}, {"full_name": "Jhon Smith", "company_name": "Acme Ltd"}),
        ({"full_name": "王总", "company_name": "云帆科技"}, {"full_name": "王小明", "company_name": "云帆科技"}),
        ({"full_name": "王小明"}, {"full_name": "王晓明"}),
        ({"full_name": "Isabella Fletcher"}, {"full_name": "Isabelle Fletchr"}),
        ({"full_name": "Rachle Georfe", "address": "9 Meares Place"}, {"full_name": "Ann Wood", "address": "9 Meares Placee"}),
    ],
)
def test_a_misspelt_name_is_compared_with_the_right_one(
    judge: Callable[..., Any], one: dict[str, str], other: dict[str, str]
) -> None:
    assert judge(one, other)["proposed_by"]
