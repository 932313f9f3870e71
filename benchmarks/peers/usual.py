"""Configs by FastAPI, SQLAlchemy and asyncpg, written the usual way; `uvicorn usual:app` serves it.

The database is `BENCH_DATABASE`.
"""

# pyright: basic, reportMissingImports=false
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    os.environ["BENCH_DATABASE"].replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=20,
    max_overflow=10,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """All tables."""


class Config(Base):
    """A row a config."""

    __tablename__ = "usual_configs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC).replace(tzinfo=None)
    )
    updated_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC).replace(tzinfo=None)
    )


class ConfigIn(BaseModel):
    """What is posted."""

    name: str = Field(min_length=1, max_length=255)
    data: dict[str, Any] = Field(default_factory=dict)


class ConfigOut(ConfigIn):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    """Some of them."""

    items: list[ConfigOut]
    total: int
    page: int
    size: int


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    """Yield a session a request."""
    async with sessions() as made:
        yield made


type Session = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)


@app.post("/configs", status_code=201)
async def create(body: ConfigIn, session: Session, response: Response) -> ConfigOut:
    """Store one."""
    config = Config(**body.model_dump())
    session.add(config)
    await session.commit()
    await session.refresh(config)
    response.headers["Location"] = f"/configs/{config.id}"
    return ConfigOut.model_validate(config)


@app.get("/configs/{id}")
async def get(id: UUID, session: Session) -> ConfigOut:
    """Answer with one."""
    if (config := await session.get(Config, id)) is None:
        raise HTTPException(404, "Not found")
    return ConfigOut.model_validate(config)


@app.get("/configs")
async def page(
    session: Session,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page:
    """Answer with a page."""
    total = await session.scalar(select(func.count()).select_from(Config)) or 0
    wanted = select(Config).order_by(Config.id).limit(size).offset((page - 1) * size)
    found = (await session.scalars(wanted)).all()
    items = [ConfigOut.model_validate(each) for each in found]
    return Page(items=items, total=total, page=page, size=size)
