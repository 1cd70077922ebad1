"""tariffs.py - fx tables, rate decks, and messages, which only ask the decks (contract, sections 3, 4 and 9)."""

from types import SimpleNamespace

from state import Deck, Duplicate, Rejected
from texts import money, time_text

RAISED_MAX = 1000


class Tariffs:
    """The part of a Partition that knows what things cost."""

    def fx_at(self, time):
        in_force = [table for table in self.fx if table.effective_at <= time]
        return max(in_force, key=lambda table: table.rank) if in_force else None

    def fx_ratio(self, time, source, target):
        """(numerator, denominator): one unit of source is that much of target; None without a rate."""
        if source == target:
            return (1, 1)
        table = self.fx_at(time)
        if table is None or source not in table.rates or target not in table.rates:
            return None
        return (table.rates[target], table.rates[source])

    def on_fx_published(self, event):
        self.check_currency(event.data["base"], *event.data["rates"])
        rates = {**event.data["rates"], event.data["base"]: 10**9}
        table = SimpleNamespace(data=event.data, rates=rates, effective_at=event.data["effective_at"],
                                rank=(event.data["effective_at"], self.offset))
        if any(other.data == table.data for other in self.fx):
            raise Duplicate
        self.fx.append(table)

    # -------------------------------------------------- rate decks

    def on_ratedeck_opened(self, event):
        deck = Deck(event.data)
        self.check_currency(deck.currency, *(entry["currency"] for entry in event.data["origins"]))
        known = self.published(deck.id) or self.drafts.get(deck.id)
        if known and known.opening == deck.opening:
            raise Duplicate
        if self.published(deck.id):
            raise Rejected("id_reused")
        self.drafts[deck.id] = deck

    def published(self, deck_id):
        return next((deck for deck in self.decks if deck.id == deck_id), None)

    def on_ratedeck_rates(self, event):
        published = self.published(event.data["deck_id"])
        deck = published or self.drafts.get(event.data["deck_id"])
        if deck is None:
            raise Rejected("deck_unknown")
        if published and any(deck.rates.get((rate["origin"], rate["prefix"])) != rate for rate in event.data["rates"]):
            raise Rejected("deck_unknown")
        if any(rate["origin"] not in deck.origins for rate in event.data["rates"]):
            raise Rejected("invalid_field")
        for rate in event.data["rates"]:
            if deck.rates.setdefault((rate["origin"], rate["prefix"]), rate) != rate:
                deck.spoilt = True

    def on_ratedeck_published(self, event):
        published = self.published(event.data["deck_id"])
        if published and event.data["rates"] == len(published.rates):
            raise Duplicate
        if published:
            raise Rejected("id_reused")
        deck = self.drafts.pop(event.data["deck_id"], None)
        if deck is None:
            raise Rejected("deck_unknown")
        if deck.spoilt or len(deck.rates) != event.data["rates"]:
            raise Rejected("deck_incomplete")
        raised = self.raised(deck)
        if raised and deck.effective_at < event.time + self.policy["notice_ms"]:
            raise Rejected("insufficient_notice")
        deck.rank = (deck.effective_at, self.offset)
        self.decks.append(deck)
        self.emit("ratedeck.accepted", None, {
            "deck_id": deck.id, "effective_at": time_text(deck.effective_at), "rates": len(deck.rates),
            "raised_count": len(raised), "raised": raised[:RAISED_MAX]})

    def deck_at(self, origin, time):
        in_force = [deck for deck in self.decks if origin in deck.origins and deck.effective_at <= time]
        return max(in_force, key=lambda deck: deck.rank) if in_force else None

    def raised(self, deck):
        """The rates that cost more than what the deck in force at effective_at gave their prefix."""
        raised = []
        for (origin, prefix), rate in sorted(deck.rates.items()):
            before = self.deck_at(origin, deck.effective_at)
            old = before.match(origin, prefix) if before else None
            if rate["status"] != "open" or rate["domestic"] or old is None or old["status"] == "blocked":
                continue
            uncharged = old["status"] == "free" or old["domestic"]
            if (uncharged or before.currency != deck.currency or rate["price"] > old["price"]
                    or rate["connect"] > old["connect"]):
                raised.append({"origin": origin, "prefix": prefix, "destination": rate["destination"],
                               "from": money(0 if uncharged else old["price"]), "to": money(rate["price"])})
        return raised

    # -------------------------------------------------- messages

    def on_sms_requested(self, account, event):
        change = self.begin(account, event)
        reason = self.judge_message(account, event)
        data = {"message_id": event.data["message_id"], "reason": reason}
        self.emit("sms.denied" if reason else "sms.allowed", account.name, data)
        return change

    def judge_message(self, account, event):
        origin = account.numbers.get(event.data["from"])
        if origin is None:
            return "number_unknown"
        deck = self.deck_at(origin, event.time)
        if deck is None:
            return "no_rates"
        rate = deck.match(origin, event.data["to"])
        return None if rate and rate["domestic"] else "international_sms"
