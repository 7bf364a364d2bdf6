"""The explorer: the pages that show a run in motion, for a browser; reads, never trains.

- `subject.py`: whose network is looked at, one seed and one operation of a run.
- `snapshot.py`: the numbers of one snapshot; `overview.py`: those that all snapshots share.
- `packing.py`: numbers as small files for a browser; `page.py`: the page that draws them.
- `store.py`: what was computed is kept; `claims.py`: when each claim became true.
- `listing.py`: the table of runs; `what_if.py`: the bench for ablations; `answer.py`: one pair.
- `app.py`: the marimo app around them; `server.py`: serves it on loopback.
"""
