# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The marimo app: the table of runs, and the pages of the run that is chosen in it."""

import marimo

app = marimo.App(width="full", app_title="grokscope explore")


@app.cell
def opening():
    """Whose folder is explored, and what the address says."""
    import marimo as mo

    from grokscope.explorer import parts

    explorer, memory = parts.opened()
    return explorer, memory, mo, parts


@app.cell
def live(mo):
    """Looks again every few seconds, so that trainings are followed while they run."""
    refresh = mo.ui.refresh(options=["2s", "5s", "30s"], default_interval="5s", label="look again")
    return (refresh,)


@app.cell
def kept(explorer, memory, mo, parts):
    """The rows of the table, and the runs that are chosen in it."""
    get_rows, set_rows = mo.state(explorer.rows())
    get_chosen, set_chosen = mo.state(parts.chosen_at_first(get_rows(), memory))
    return get_chosen, get_rows, set_chosen, set_rows


@app.cell
def look_again(explorer, get_rows, parts, refresh, set_rows):
    """Draw the table anew only where something changed."""
    parts.look_again(refresh.value, explorer, get_rows(), set_rows)
    return


@app.cell
def listed(explorer, get_rows, memory, parts, set_chosen):
    """The table: search, sort, filter, and choose one run or several."""
    table = parts.runs_table(explorer, get_rows(), memory, set_chosen)
    return (table,)


@app.cell
def networks(explorer, get_chosen, memory, parts):
    """Which network of the first chosen run is shown."""
    choice = parts.network_choice(explorer, get_chosen(), memory)
    return (choice,)


@app.cell
def asking(mo):
    """Explains a network where that was not done yet."""
    explain = mo.ui.run_button(label="Explain this network (up to a minute)")
    return (explain,)


@app.cell
def places(memory, parts):
    """Runs, Time, Why, Try it."""
    tabs = parts.tab_bar(memory)
    return (tabs,)


@app.cell
def top(mo, tabs):
    """The tabs stand above what they show."""
    mo.vstack([tabs])
    return


@app.cell
def runs(get_chosen, get_rows, mo, parts, refresh, table, tabs):
    """The table, and several runs on one axis."""
    mo.stop(tabs.value != "Runs")
    parts.runs_tab(get_rows(), table, refresh, get_chosen())
    return


@app.cell
def network(choice, explain, explorer, mo, parts, tabs):
    """What is shown of one network."""
    mo.stop(tabs.value == "Runs")
    parts.network_tab(tabs.value, explorer, choice, explain)
    return


if __name__ == "__main__":
    app.run()
