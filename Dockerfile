# One image for every part: two Pythons, the main one and Rasa's. `docker build -t praja .`
FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 praja && mkdir /praja /var/lib/praja && chown praja: /praja /var/lib/praja
WORKDIR /praja
USER praja
# The environments change seldom, so they are a layer of their own.
COPY --chown=praja:praja pyproject.toml requirements.txt README.md ./
COPY --chown=praja:praja nlu/pyproject.toml nlu/requirements.txt nlu/
COPY --chown=praja:praja scripts/setup scripts/setup
RUN mkdir identity journal learning backend actions bot console praja && scripts/setup
COPY --chown=praja:praja . .
ENV PATH=/praja/.venv/bin:$PATH PRAJA_HOME=/var/lib/praja PRAJA_MODELS=/var/lib/praja/models
VOLUME /var/lib/praja
ENTRYPOINT ["praja"]
CMD ["up"]
