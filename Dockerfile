FROM python:3.11-slim

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY *.py alembic.ini ./
COPY core core
COPY migrations migrations
RUN useradd --create-home app && chown app /app
USER app

EXPOSE 8000
CMD ["sh", "-c", "alembic upgrade head && exec uvicorn app:app --timeout-graceful-shutdown 8 --limit-concurrency 1000 --host 0.0.0.0"]
