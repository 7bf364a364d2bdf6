"""The paper's tables, as they were copied."""

from grokscope.paper.tables import table_1, table_a4, table_a5


def test_table_a5_has_35_operations_at_7_fractions() -> None:
    found = table_a5()
    assert len(found) == 35
    assert {len(row.cells) for row in found.values()} == {7}
    assert found["x*y"].cells[0.3].grokked
    cell = found["x^2 + x*y + y^2"].cells[0.7]
    assert (cell.grokked, cell.accuracy, cell.text) == (False, 0.74, "74%")
    assert found["x^2 + x*y + y^2"].smallest_fraction == 0.8
    assert found["x^3 + x*y^2 + y"].smallest_fraction is None


def test_table_1_is_of_operations_in_table_a5_and_agrees_with_it() -> None:
    for operation, row in table_1().items():
        assert row["from_scratch"] == table_a5()[operation].smallest_fraction, operation


def test_table_a4() -> None:
    assert table_a4()["ablation_b"] == {"addition": 5.385, "subtraction": 21.79}
