"""settings.py - accounts, members, numbers, toggles, blocks, auto-recharge, policy (contract, section 3)."""

from decode import CURRENCIES
from state import Account, Duplicate, Rejected


class Settings:
    """The part of a Partition that knows settings, each with the time of its last change."""

    def on_account_opened(self, account, event):
        if account is not None:
            if account.opened == event.data:
                raise Duplicate
            raise Rejected("account_exists")
        self.check_currency(event.data["currency"])
        account = Account(event.subject, event.data, self.policy)
        account.roles[event.data["owner"]] = "admin"
        account.changed_at[("role", event.data["owner"])] = event.time
        self.accounts[event.subject] = account

    @staticmethod
    def check_currency(*codes):
        if any(code not in CURRENCIES for code in codes):
            raise Rejected("currency_unknown")

    # -------------------------------------------------- settings

    @staticmethod
    def absorb_older(account, event, setting, number=None, member=None, same=False):
        """An event older than the last change of its setting is a duplicate; so is one older than a removal,
        and one that says the same for the same time."""
        times = [account.changed_at.get(setting), account.removed_at.get(("number", number)),
                 account.removed_at.get(("member", member))]
        if any(time is not None and event.time < time for time in times):
            raise Duplicate
        if same and event.time == account.changed_at.get(setting):
            raise Duplicate

    @staticmethod
    def set_at(account, event, setting):
        account.changed_at[setting] = max(event.time, account.changed_at.get(setting, event.time))

    @staticmethod
    def check_actor(account, event):
        if account.roles.get(event.data["actor"]) not in ("admin", "manager"):
            raise Rejected("not_permitted")

    @staticmethod
    def check_number(account, number):
        if number is not None and number not in account.numbers:
            raise Rejected("number_unknown")

    def on_member_set(self, account, event):
        member = event.data["member_id"]
        self.absorb_older(account, event, ("role", member), same=account.roles.get(member) == event.data["role"])
        change = self.begin(account, event)
        account.roles[member] = event.data["role"]
        self.set_at(account, event, ("role", member))
        return change

    def on_member_removed(self, account, event):
        member = event.data["member_id"]
        self.absorb_older(account, event, ("role", member))
        if member not in account.roles:
            raise Duplicate
        change = self.begin(account, event)
        del account.roles[member]
        self.set_at(account, event, ("role", member))
        account.removed_at[("member", member)] = event.time
        account.assigned = {(number, who) for number, who in account.assigned if who != member}
        self.cut(account, "member_removed", lambda call: call.data["member_id"] == member)
        return change

    def on_number_added(self, account, event):
        number, origin = event.data["number"], event.data["origin"]
        self.absorb_older(account, event, None, number=number)
        if number in account.numbers:
            if account.numbers[number] == origin:
                raise Duplicate
            raise Rejected("number_taken")
        change = self.begin(account, event)
        account.numbers[number] = origin
        self.set_at(account, event, ("number", number))
        return change

    def on_number_removed(self, account, event):
        number = event.data["number"]
        self.absorb_older(account, event, ("number", number))
        if number not in account.numbers:
            raise Duplicate
        change = self.begin(account, event)
        del account.numbers[number]
        self.set_at(account, event, ("number", number))
        account.removed_at[("number", number)] = event.time
        account.enabled.discard(number)
        account.assigned = {(where, who) for where, who in account.assigned if where != number}
        account.blocked = {(prefix, where) for prefix, where in account.blocked if where != number}
        self.cut(account, "number_removed", lambda call: call.data["from"] == number)
        return change

    def on_member_assigned(self, account, event):
        number, member = event.data["number"], event.data["member_id"]
        self.absorb_older(account, event, ("assigned", number, member), number, member,
                          same=(number, member) in account.assigned)
        if member not in account.roles:
            raise Rejected("member_unknown")
        self.check_number(account, number)
        change = self.begin(account, event)
        account.assigned.add((number, member))
        self.set_at(account, event, ("assigned", number, member))
        return change

    def on_member_unassigned(self, account, event):
        number, member = event.data["number"], event.data["member_id"]
        self.absorb_older(account, event, ("assigned", number, member), number, member)
        if (number, member) not in account.assigned:
            raise Duplicate
        change = self.begin(account, event)
        account.assigned.discard((number, member))
        self.set_at(account, event, ("assigned", number, member))
        return change

    def toggle(self, account, event, on):
        number = event.data["number"]
        self.absorb_older(account, event, ("toggle", number), number, same=on == (number in account.enabled))
        self.check_number(account, number)
        self.check_actor(account, event)
        change = self.begin(account, event)
        self.set_at(account, event, ("toggle", number))
        if on:
            account.enabled.add(number)
        else:
            account.enabled.discard(number)
            self.cut(account, "international_disabled", lambda call: call.data["from"] == number)
        return change

    def on_number_international_enabled(self, account, event):
        return self.toggle(account, event, True)

    def on_number_international_disabled(self, account, event):
        return self.toggle(account, event, False)

    def on_destination_blocked(self, account, event):
        block = (event.data["prefix"], event.data["number"])
        self.absorb_older(account, event, ("block", block), block[1], same=block in account.blocked)
        self.check_number(account, block[1])
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.blocked.add(block)
        self.set_at(account, event, ("block", block))
        return change

    def on_destination_unblocked(self, account, event):
        block = (event.data["prefix"], event.data["number"])
        self.absorb_older(account, event, ("block", block), block[1])
        if block not in account.blocked:
            raise Duplicate
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.blocked.discard(block)
        self.set_at(account, event, ("block", block))
        return change

    def on_auto_recharge_configured(self, account, event):
        self.absorb_older(account, event, "auto_recharge", same=account.auto == event.data)
        self.check_currency(event.data["currency"])
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.auto = event.data
        self.set_at(account, event, "auto_recharge")
        account.suspended = account.waiting = False
        account.failures = 0
        return change

    def on_policy_configured(self, event):
        newer = {name: item for name, item in event.data.items()
                 if event.time >= self.policy_changed_at.get(name, event.time)
                 and (event.time, item) != (self.policy_changed_at.get(name), self.policy[name])}
        if not newer:
            raise Duplicate
        policy = {**self.policy, **newer}
        if policy["horizon_ms"] < 2 * policy["tick_ms"] + 10000:
            raise Rejected("invalid_field")
        for name in ("low_credits", "daily_spend"):
            self.check_currency(*newer.get(name, {}))
        self.reopened_no_sooner = self.first_open_day()
        self.policy = policy
        self.policy_changed_at.update({name: event.time for name in newer})
