# docker build -t ladi-vton . && docker run --rm -p 7860:7860 ladi-vton                    (with a GPU: --gpus all)
# pip's torch brings CUDA. For a smaller image without it, name an index that has PyTorch's CPU builds:
# docker build -t ladi-vton --build-arg TORCH_INDEX=URL .
FROM python:3.11-slim-bookworm

ARG TORCH_INDEX=
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 LADI_HOST=0.0.0.0 LADI_PORT=7860 GRADIO_ANALYTICS_ENABLED=False

WORKDIR /app
COPY packages.txt requirements.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip install "$(grep '^torch==' requirements.txt)" --index-url "$TORCH_INDEX"; \
    fi \
    && pip install -r requirements.txt

COPY app.py LICENSE ./
COPY app ./app
COPY ladi ./ladi
COPY assets ./assets
# rembg compiles on its first import; done here, it is done once.
RUN useradd --create-home ladi && chown -R ladi /app
USER ladi
RUN python -c "import rembg"

EXPOSE 7860
CMD ["python", "app.py"]
