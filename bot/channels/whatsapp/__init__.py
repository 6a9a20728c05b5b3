"""WhatsApp, by Meta's Cloud API (Graph API v26.0)."""

from bot.channels.whatsapp.channel import WhatsApp, WhatsAppSettings
from bot.channels.whatsapp.webhook import verify_handshake, verify_signature

__all__ = ["WhatsApp", "WhatsAppSettings", "verify_handshake", "verify_signature"]
