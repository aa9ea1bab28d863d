"""What the YAML may say about short messages by SIP."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = Annotated[str, Field(pattern=r"^[+0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]


class SipSmsSettings(BaseModel):
    """Settings beside `use: sms_sip`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    numbers: tuple[Number, ...] = Field(
        min_length=1,
        description='Numbers of ours that are written to, quoted: `["2000", "+15550100"]`; the first one is what we write from.',
    )
    host: str = Field(
        default="127.0.0.1",
        pattern=r"^[A-Za-z0-9.-]+(:\d{1,5})?$",
        description="What stands behind the @ of our own address.",
    )
    trunk: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="The trunk of `asterisk.trunks` by which a number is reached that has not written to us; left out, only "
        "phones that are registered here are.",
    )
    trunk_host: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9.-]+(:\d{1,5})?)?$",
        description="That trunk's host, as in `asterisk.trunks`.",
    )
    longest: int = Field(
        default=400,
        ge=40,
        le=1000,
        description="Most characters of one message; RFC 3428 allows 1,300 bytes with all headers.",
    )

    @model_validator(mode="after")
    def _whole_trunk(self) -> SipSmsSettings:
        if bool(self.trunk) is not bool(self.trunk_host):
            raise ValueError("trunk and trunk_host stand together; give both, or neither")
        return self
