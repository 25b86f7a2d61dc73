"""Shared Interest: for every image of a set, how far what the classifier looks at is what people have marked."""

from pages.parts.frame import layout
from pages.parts.kit import clicks, problems, screens, waiting
from pages.parts.kit.selection import Selection
from pages.parts.shared_interest import asking, choosing, closeup, lesson, reading, settings, tiles, views
from pages.parts.shared_interest.scored_set import ScoredSet

TITLE = "Shared Interest"

selection = layout.page(
    TITLE, "Does the classifier look where people do? Every image's heatmap is held against what people marked in it."
)


def body(selection: Selection) -> None:
    """The chosen view of the scored set, with the choices beside it."""
    classifier, photos, scope = selection.classifier, selection.photos, selection.scope
    clicks.listen({"case": views.case, "image": closeup.click})
    view = views.choose(photos)
    selection = selection.at(view)
    if view in views.UNSCORED:
        views.without_scores(view, selection)
        layout.how_to_read(reading.text(view))
        return

    picture, side = screens.beside()
    with side:
        chosen = settings.choose(scope, classifier, photos)
    with picture:
        job = asking.ask(scope, "scores", classifier, photos, (chosen.explanation,), chosen.scoring)
        waiting.settled(job)
        [scored] = asking.latest(job, classifier, (chosen.explanation,), chosen.scoring)
        scored_set = ScoredSet(classifier, photos, scored, chosen.thresholds)
        tiles.draw(scored_set, choosing.chosen_cases())
        settings.suggest(scored_set)
        lesson.elsewhere(scored_set)
    with side:
        choice = choosing.choose(scored_set) if view == views.GALLERY else choosing.Choice()
    with picture:
        views.draw(view, selection, scored_set, choice)
    problems.left_out(scored.problems)
    layout.how_to_read(reading.text(view))


layout.body(body, selection)
