"""Words for the categories of COCO, one table for each purpose.

- `names`: words to *write* expressions with. Each certainly fits its category, if an object of it is present.
- `terms`: words to *read* people's texts with. They cover as much as possible, since a missed word lets a
  false one-to-zero pair through. A term is either sure to mean one of its categories, or loose.
- `cues`: stems that show that captions speak of a category. They are wider still, as their absence is the
  proof: a category counts as missing only if no caption has any of its stems.
- `confusion`: categories that people take for one another, by name and by sight.

The tables stay apart, since a word that is safe to read may be wrong to write. Their contents shape the texts
that networks are trained on.
"""
