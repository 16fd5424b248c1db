"""`POST /webhook`: alarms come in. No key: the sender can send none. Its address and the token let it in."""

from __future__ import annotations

from backend.errors import AlarmUnauthorised
from backend.web.trading import alarm_shapes
from backend.web.trading.handler import TradingHandler

LARGEST_ALARM = 16 * 1024


class WebhookHandler(TradingHandler):
    """Nothing is done here but to store the alarm: the sender waits for three seconds."""

    largest_body = LARGEST_ALARM

    async def post(self, token: str = "") -> None:
        self.query(())
        alarms, sender = self.trading.alarms, str(self.request.remote_ip)
        if not self.guard.may_send_alarms(self.request):
            self.service.running.metrics.alarm("bad_sender")
            raise AlarmUnauthorised(
                f"alarms from {sender} are not let in: see WEBHOOK_ADDRESSES", code="sender_not_allowed"
            )
        alarm, is_repeated = await alarms.intake.receive(self.whole_body(), token=token, sender=sender)
        self.answer(alarm_shapes.AlarmReceived(alarm=alarm.id, state=alarm.state, repeated=is_repeated))
